/** What a report of a fault needs to know of the database: statistics, settings, plans. */
@NullMarked
package io.errand.store.support;

import org.jspecify.annotations.NullMarked;
