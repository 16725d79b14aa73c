/** The call that shows the audit. */
@NullMarked
package io.errand.api.audit;

import org.jspecify.annotations.NullMarked;
