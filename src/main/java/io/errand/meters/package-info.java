/**
 * The one list of what is measured. Every meter of ours is made here, so that its name, its labels
 * and its meaning stand in one place.
 */
@NullMarked
package io.errand.meters;

import org.jspecify.annotations.NullMarked;
