package io.errand.auth;

/** A token of the identity provider is valid and gives its bearer no role. */
@SuppressWarnings("serial") // never serialised by Java
public final class NoRole extends RuntimeException {
  /**
   * By a claim.
   *
   * @param claim of which no value gives a role in a project that is there
   */
  public NoRole(String claim) {
    super(
        "The token is valid, but no value of its claim "
            + claim
            + " gives a role in a project of this server",
        null,
        false,
        false);
  }
}
