/** Bounds the bytes that requests and commands hold in the heap. Knows nothing of either. */
@NullMarked
package io.errand.memory;

import org.jspecify.annotations.NullMarked;
