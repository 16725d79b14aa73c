/** The pages about keys, projects and the audit. */
@NullMarked
package io.errand.console.access;

import org.jspecify.annotations.NullMarked;
