/** What a drill does to the database, and what it reads of it. */
@NullMarked
package io.errand.store.drill;

import org.jspecify.annotations.NullMarked;
