/**
 * The built-in PostgreSQL: real binaries, unpacked into the data directory, started and stopped
 * with the server. It keeps what it accepts: fsync, synchronous commit and full page writes stay
 * on. This package knows nothing of jobs, and nothing of ours is imported here.
 */
@NullMarked
package io.errand.embedded;

import org.jspecify.annotations.NullMarked;
