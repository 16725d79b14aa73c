/**
 * Projects, and the keys that clients identify themselves with. Of a key only its hash is known.
 */
@NullMarked
package io.errand.store.access;

import org.jspecify.annotations.NullMarked;
