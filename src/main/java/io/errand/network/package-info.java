/** Networks of IP addresses, as settings name them. Nothing of ours is imported here. */
@NullMarked
package io.errand.network;

import org.jspecify.annotations.NullMarked;
