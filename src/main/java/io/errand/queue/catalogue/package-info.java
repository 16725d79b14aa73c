/** Named commands: their typed parameters, and the command that a job's values make of them. */
@NullMarked
package io.errand.queue.catalogue;

import org.jspecify.annotations.NullMarked;
