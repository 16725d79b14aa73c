/**
 * Changes that people ask for, and those that are due by time: cancel, release, expiry, retention.
 */
@NullMarked
package io.errand.store.control;

import org.jspecify.annotations.NullMarked;
