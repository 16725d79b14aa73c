/** The statements that store new jobs, and the group commit of submits that arrive together. */
@NullMarked
package io.errand.store.submit;

import org.jspecify.annotations.NullMarked;
