/**
 * Telling others that a job has finished: what is sent, how it is signed, to which addresses, and
 * when it is tried again. Deliveries come from the database and go back to it, so that any process
 * can go on with those of another.
 */
@NullMarked
package io.errand.webhooks;

import org.jspecify.annotations.NullMarked;
