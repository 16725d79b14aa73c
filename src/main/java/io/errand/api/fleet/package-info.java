/** The calls about workers. */
@NullMarked
package io.errand.api.fleet;

import org.jspecify.annotations.NullMarked;
