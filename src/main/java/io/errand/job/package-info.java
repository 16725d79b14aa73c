/**
 * What a job is: its states and transitions, the outcomes of its attempts, and the one pure
 * function that decides what follows an outcome.
 *
 * <p>This package imports {@code java.*} only. It knows no database, no clock of its own and no
 * thread; time and randomness are handed in.
 */
@NullMarked
package io.errand.job;

import org.jspecify.annotations.NullMarked;
