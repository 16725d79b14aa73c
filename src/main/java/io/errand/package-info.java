/**
 * Errand: an asynchronous command queue on PostgreSQL. This package holds the way in and the way
 * out of the server; the packages below hold everything else.
 */
@NullMarked
package io.errand;

import org.jspecify.annotations.NullMarked;
