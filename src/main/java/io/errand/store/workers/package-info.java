/** Heartbeats of workers, and the requests that they answer for running jobs. */
@NullMarked
package io.errand.store.workers;

import org.jspecify.annotations.NullMarked;
