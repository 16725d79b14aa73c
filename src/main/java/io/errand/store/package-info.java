/**
 * Everything that speaks SQL: one verb per transition of the state machine, and the reads.
 *
 * <p>The few statements that decide speed and correctness are text blocks right above their
 * methods; every write about an attempt names the job and its claim token. This package must never
 * decide what becomes of a job: it carries out a {@link io.errand.job.Decision}.
 */
@NullMarked
package io.errand.store;

import org.jspecify.annotations.NullMarked;
