/** The calls about named commands. */
@NullMarked
package io.errand.api.catalogue;

import org.jspecify.annotations.NullMarked;
