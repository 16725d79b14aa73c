/**
 * What operators decide about queues: their settings, what happened to them, and what they show.
 */
@NullMarked
package io.errand.store.queues;

import org.jspecify.annotations.NullMarked;
