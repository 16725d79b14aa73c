/** The pages about workers and operations. */
@NullMarked
package io.errand.console.fleet;

import org.jspecify.annotations.NullMarked;
