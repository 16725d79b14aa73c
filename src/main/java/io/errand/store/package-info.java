/**
 * Everything that is SQL, one package for each topic. Here are what all of them use: sessions,
 * notifications, durability, and the JSON of columns.
 *
 * <p>The few statements that decide speed and correctness are text blocks right above their
 * methods. This package never decides the next state of a job: it carries out a {@link
 * io.errand.job.Decision}.
 */
@NullMarked
package io.errand.store;

import org.jspecify.annotations.NullMarked;
