/** The named commands of projects as SQL. */
@NullMarked
package io.errand.store.catalogue;

import org.jspecify.annotations.NullMarked;
