/**
 * Running one command: start it, read what it prints, end its whole process tree, say what
 * happened.
 *
 * <p>The door is {@link io.errand.exec.Launcher}. What stands behind it here is plain POSIX through
 * JNA, one thread for every pipe, timer and exit. This package knows no job, no queue and no
 * database.
 */
@NullMarked
package io.errand.exec;

import org.jspecify.annotations.NullMarked;
