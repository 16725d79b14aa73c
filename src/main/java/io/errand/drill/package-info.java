/** {@code errand drill}: injures a staging system, and checks that it keeps what is promised. */
@NullMarked
package io.errand.drill;

import org.jspecify.annotations.NullMarked;
