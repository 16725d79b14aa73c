/** The calls that change what this process logs. */
@NullMarked
package io.errand.api.logs;

import org.jspecify.annotations.NullMarked;
