/**
 * Networks of IP addresses, as settings name them, and calls of other servers. Nothing of ours is
 * imported here.
 */
@NullMarked
package io.errand.network;

import org.jspecify.annotations.NullMarked;
