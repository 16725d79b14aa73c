/** What operators and orchestrators ask a process: is it alive, is it ready, has it started. */
@NullMarked
package io.errand.ops;

import org.jspecify.annotations.NullMarked;
