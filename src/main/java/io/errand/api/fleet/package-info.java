/** The calls about queues and workers. */
@NullMarked
package io.errand.api.fleet;

import org.jspecify.annotations.NullMarked;
