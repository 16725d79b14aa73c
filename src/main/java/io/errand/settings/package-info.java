/**
 * The settings of a server: the one list of what can be set, what it may be, and what it means. The
 * help, the check and the table of README are made of it. Nothing of ours is imported here.
 */
@NullMarked
package io.errand.settings;

import org.jspecify.annotations.NullMarked;
