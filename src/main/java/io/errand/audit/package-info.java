/** The audit: its one writer, what becomes of refused tries, and its lines in files and logs. */
@NullMarked
package io.errand.audit;

import org.jspecify.annotations.NullMarked;
