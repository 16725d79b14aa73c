/** HashiCorp Vault, or a server that speaks its HTTP: secrets, and credentials of the database. */
@NullMarked
package io.errand.vault;

import org.jspecify.annotations.NullMarked;
