/** The statements about schedules and their ticks. */
@NullMarked
package io.errand.store.schedules;

import org.jspecify.annotations.NullMarked;
