/** The calls about who may do what: the caller itself, keys, projects. */
@NullMarked
package io.errand.api.access;

import org.jspecify.annotations.NullMarked;
