/** The pages about webhooks. */
@NullMarked
package io.errand.console.webhooks;

import org.jspecify.annotations.NullMarked;
