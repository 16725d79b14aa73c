/** What a recording of a server says, in words. */
@NullMarked
package io.errand.cli.profile;

import org.jspecify.annotations.NullMarked;
