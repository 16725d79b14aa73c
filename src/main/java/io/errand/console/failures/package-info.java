/** The pages about failures. */
@NullMarked
package io.errand.console.failures;

import org.jspecify.annotations.NullMarked;
