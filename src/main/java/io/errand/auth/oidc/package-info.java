/**
 * Who the bearer of a token of an identity provider is: signature, issuer, audience and time of the
 * token, and what role its claims give. It serves no route and opens no way in: {@link
 * io.errand.auth.Identities} asks it.
 */
@NullMarked
package io.errand.auth.oidc;

import org.jspecify.annotations.NullMarked;
