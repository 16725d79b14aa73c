/** Deliveries of webhooks: made of finished jobs, claimed for a try, ended, listed, resent. */
@NullMarked
package io.errand.store.webhooks;

import org.jspecify.annotations.NullMarked;
