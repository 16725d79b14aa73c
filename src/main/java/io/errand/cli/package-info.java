/**
 * The command line: a client that speaks HTTP and boots no server. It imports nothing of the other
 * rooms, so that it starts at once. Data goes to stdout, words to stderr.
 */
@NullMarked
package io.errand.cli;

import org.jspecify.annotations.NullMarked;
