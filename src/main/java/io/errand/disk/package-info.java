/** The free space of the file systems that this server writes to. */
@NullMarked
package io.errand.disk;

import org.jspecify.annotations.NullMarked;
