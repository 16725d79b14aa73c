package io.errand.auth;

/** The identity provider does not answer, and the key of a token is not known. */
@SuppressWarnings("serial") // never serialised by Java
public final class ProviderAway extends RuntimeException {
  /** That of an issuer. */
  public ProviderAway(String issuer) {
    super("The identity provider " + issuer + " does not answer", null, false, false);
  }
}
