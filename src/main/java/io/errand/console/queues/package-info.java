/** The pages about queues. */
@NullMarked
package io.errand.console.queues;

import org.jspecify.annotations.NullMarked;
