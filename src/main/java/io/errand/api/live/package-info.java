/** Live output and process trees of running jobs. */
@NullMarked
package io.errand.api.live;

import org.jspecify.annotations.NullMarked;
