/** The calls about deliveries of webhooks. */
@NullMarked
package io.errand.api.webhooks;

import org.jspecify.annotations.NullMarked;
