package io.errand.auth;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * The token of the first administrator: {@code ERRAND_TOKEN}, else that of the file {@code
 * HOME/token}, which the first start makes.
 *
 * @param text the token
 * @param key it as an API key, where it is one of the file; it has a row like any other
 * @param whereabouts where an administrator finds it, in words
 */
record AdminToken(String text, @Nullable ApiKey key, String whereabouts) {
  private static final int LEAST_LENGTH = 16;

  static AdminToken of(AuthConfig config) throws IOException {
    Path file = Path.of(config.home()).resolve("token");
    boolean isConfigured = config.token().isPresent();
    String text = isConfigured ? config.token().get() : fromFile(file);
    if (text.length() < LEAST_LENGTH) {
      throw new IllegalArgumentException(
          "The admin token has fewer than 16 characters; set ERRAND_TOKEN to a longer one");
    }
    return isConfigured
        ? new AdminToken(text, null, "token as in ERRAND_TOKEN")
        : new AdminToken(text, ApiKey.parse(text), "token in " + file);
  }

  private static String fromFile(Path file) throws IOException {
    if (!Files.exists(file)) {
      Path partial = file.resolveSibling("token-partial");
      Files.deleteIfExists(partial);
      Files.createFile(
          partial,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(
          partial,
          ApiKey.random().text() + "\n",
          StandardOpenOption.WRITE,
          LinkOption.NOFOLLOW_LINKS);
      Files.move(partial, file);
    }
    return Files.readString(file).trim();
  }

  /** Whether a client has sent this token; takes the same time for each that is wrong. */
  boolean is(String given) {
    return MessageDigest.isEqual(
        given.getBytes(StandardCharsets.UTF_8), text.getBytes(StandardCharsets.UTF_8));
  }

  /** Without the token. */
  @Override
  public String toString() {
    return whereabouts;
  }
}
