/** The calls about schedules and their ticks. */
@NullMarked
package io.errand.api.schedules;

import org.jspecify.annotations.NullMarked;
