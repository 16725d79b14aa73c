/** The pages about schedules. */
@NullMarked
package io.errand.console.schedules;

import org.jspecify.annotations.NullMarked;
