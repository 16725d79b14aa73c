/** The operator's secrets, by name: files of one directory. No secret is kept in memory here. */
@NullMarked
package io.errand.secrets;

import org.jspecify.annotations.NullMarked;
