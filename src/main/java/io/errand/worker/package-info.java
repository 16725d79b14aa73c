/**
 * The pool that runs jobs: claiming, slots, the lease, giving up on silent workers, and the drain.
 *
 * <p>This package turns what {@code exec} reports into outcomes, asks {@link
 * io.errand.job.Decision} what follows, and has {@code store} write it under the claim's token. It
 * never decides by itself the next state of a job, and never waits for the API: both meet in the
 * tables alone.
 */
@NullMarked
package io.errand.worker;

import org.jspecify.annotations.NullMarked;
