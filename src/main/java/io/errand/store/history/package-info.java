/**
 * The events that each change of a state writes, their reads, and the checks of the whole history.
 */
@NullMarked
package io.errand.store.history;

import org.jspecify.annotations.NullMarked;
