/**
 * The operator's secrets, by name; the keys that encrypt what jobs hold in clear; and what masks
 * secrets in output. No secret is kept in memory here, but in the patterns of a running command.
 */
@NullMarked
package io.errand.secrets;

import org.jspecify.annotations.NullMarked;
