/** Changes of many jobs at once by filter, and the operations that carry them out. */
@NullMarked
package io.errand.api.bulk;

import org.jspecify.annotations.NullMarked;
