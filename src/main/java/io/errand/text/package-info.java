/** How text of jobs, clients and servers is shown to people. Knows nothing of the rest. */
@NullMarked
package io.errand.text;

import org.jspecify.annotations.NullMarked;
