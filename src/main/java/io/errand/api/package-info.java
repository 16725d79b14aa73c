/**
 * The wire: resources, the records that they answer with, and problems. It checks what comes in,
 * asks {@code queue} for changes and {@code store} for reads, and never speaks to a worker.
 */
@NullMarked
package io.errand.api;

import org.jspecify.annotations.NullMarked;
