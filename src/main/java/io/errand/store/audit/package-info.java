/** The audit: who has changed what, and who was refused. Rows that are only added, in a chain. */
@NullMarked
package io.errand.store.audit;

import org.jspecify.annotations.NullMarked;
