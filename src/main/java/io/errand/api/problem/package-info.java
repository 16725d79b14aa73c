/** Problem details of RFC 9457, and the one place where faults become answers. */
@NullMarked
package io.errand.api.problem;

import org.jspecify.annotations.NullMarked;
