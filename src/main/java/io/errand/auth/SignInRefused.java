package io.errand.auth;

/** An identity provider has not said who somebody is, in a way that can be taken. */
@SuppressWarnings("serial") // never serialised by Java
public final class SignInRefused extends Exception {
  /**
   * For a reason.
   *
   * @param why one sentence for the person who signs in, without a secret
   */
  public SignInRefused(String why) {
    super(why, null, false, false);
  }

  /** The sentence. */
  public String why() {
    return String.valueOf(getMessage());
  }
}
