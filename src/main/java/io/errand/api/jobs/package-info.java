/**
 * The calls about jobs that exist: one job, lists, attempts, events, output, cancel, release;
 * clients that wait for a job to finish.
 */
@NullMarked
package io.errand.api.jobs;

import org.jspecify.annotations.NullMarked;
