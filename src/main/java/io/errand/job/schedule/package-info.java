/**
 * When the ticks of a schedule are: cron expressions, intervals, lists of times, zones with
 * daylight saving, and what becomes of ticks that are due. Pure functions of their arguments; no
 * clock.
 */
@NullMarked
package io.errand.job.schedule;

import org.jspecify.annotations.NullMarked;
