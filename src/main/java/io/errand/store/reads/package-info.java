/** Reads for clients and operators, each of them bounded, and the entities of the tables. */
@NullMarked
package io.errand.store.reads;

import org.jspecify.annotations.NullMarked;
