package io.errand.auth;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Signs people in to the console by way of the identity provider: the authorization code flow of
 * OpenID Connect with PKCE. Safe from any thread; waits for the provider, for a bounded time.
 */
public interface ProviderSignIn {
  /** What people call the provider, or null where nobody can sign in by way of one. */
  @Nullable String provider();

  /**
   * Where the browser has to go.
   *
   * @param redirectUri where the provider sends it then
   * @throws ProviderAway if its metadata cannot be read
   * @throws SignInRefused if that names no such address
   */
  String address(SignIn signIn, String redirectUri) throws SignInRefused;

  /**
   * Who has come back.
   *
   * @param issuer what the answer names as its issuer (RFC 9207), or null
   * @param code of the answer, which the provider takes once
   * @param redirectUri the one that {@link #address} was given
   * @throws ProviderAway if the provider does not answer
   * @throws NoRole if the claims give no role
   * @throws SignInRefused if the provider does not take the code, or its tokens are not right
   * @throws SQLException if the database is away
   */
  ProviderClaims exchange(SignIn signIn, @Nullable String issuer, String code, String redirectUri)
      throws SignInRefused, SQLException;

  /**
   * Whose session this is now.
   *
   * @return null where its claims give no role any more, or it has ended
   */
  @Nullable Identity identity(ProviderClaims claims) throws SQLException;

  /** The settings that sessions are opened under, as SHA-256; under others they do not count. */
  byte[] settingsHash();
}
