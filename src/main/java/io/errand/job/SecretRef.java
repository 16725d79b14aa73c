package io.errand.job;

/** The text that stands for a secret of the server, {@code secret://NAME}. */
public final class SecretRef {
  /** How such a text begins. A value that begins so and has not the whole form is refused. */
  public static final String SCHEME = "secret://";

  private SecretRef() {}

  /** Whether a value is meant to be the name of a secret. */
  public static boolean isMeant(String value) {
    return value.startsWith(SCHEME);
  }

  /** Whether a value that is meant to be the name of a secret is none. */
  public static boolean isWrong(String value) {
    return isMeant(value) && !value.matches(OnFinish.SECRET_REF_PATTERN);
  }
}
