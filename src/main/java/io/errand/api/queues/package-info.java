/** The calls about queues: their settings, what they show, and what happened to them. */
@NullMarked
package io.errand.api.queues;

import org.jspecify.annotations.NullMarked;
