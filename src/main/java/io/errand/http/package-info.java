/**
 * The HTTP listener: accepts connections, bounds their number, their time and their bytes, and
 * refuses every request whose bytes are not strict HTTP/1 before any parser of the framework sees
 * them. It knows nothing of routes.
 */
@NullMarked
package io.errand.http;

import org.jspecify.annotations.NullMarked;
