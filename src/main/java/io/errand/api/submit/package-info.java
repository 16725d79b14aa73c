/** The calls that make jobs, and the reading of a job's fields. */
@NullMarked
package io.errand.api.submit;

import org.jspecify.annotations.NullMarked;
