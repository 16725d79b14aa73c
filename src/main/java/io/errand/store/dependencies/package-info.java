/** Order among jobs: what tells jobs that others have finished, and reads about that. */
@NullMarked
package io.errand.store.dependencies;

import org.jspecify.annotations.NullMarked;
