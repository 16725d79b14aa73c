/** The pages about named commands. */
@NullMarked
package io.errand.console.catalogue;

import org.jspecify.annotations.NullMarked;
