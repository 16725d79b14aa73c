/** What schedules do: their ticks are handled here, in whichever process comes first. */
@NullMarked
package io.errand.queue.schedules;

import org.jspecify.annotations.NullMarked;
