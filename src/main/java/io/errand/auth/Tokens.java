package io.errand.auth;

import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Knows the tokens, and whose they are. */
@ApplicationScoped
public class Tokens {
  /** The principal of the administrator's token. */
  public static final String ADMIN = "admin";

  private static final String SCHEME = "Bearer ";
  private static final int LEAST_LENGTH = 16;

  private final AuthConfig config;
  private byte[] token = new byte[0];

  Tokens(AuthConfig config) {
    this.config = config;
  }

  void start(@Observes StartupEvent event) throws IOException {
    Optional<String> configured = config.token();
    String text = configured.isPresent() ? configured.get() : fromFile();
    if (text.length() < LEAST_LENGTH) {
      throw new IllegalArgumentException(
          "The admin token has fewer than 16 characters; set ERRAND_TOKEN to a longer one");
    }
    token = text.getBytes(StandardCharsets.UTF_8);
  }

  private String fromFile() throws IOException {
    Path file = Path.of(config.home()).resolve("token");
    if (!Files.exists(file)) {
      byte[] random = new byte[32];
      new SecureRandom().nextBytes(random);
      Path partial = file.resolveSibling("token-partial");
      Files.deleteIfExists(partial);
      Files.createFile(
          partial,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(
          partial,
          Base64.getUrlEncoder().withoutPadding().encodeToString(random) + "\n",
          StandardOpenOption.WRITE,
          LinkOption.NOFOLLOW_LINKS);
      Files.move(partial, file);
    }
    return Files.readString(file).trim();
  }

  /** Where an administrator finds the token, in words. */
  public String whereabouts() {
    return config.token().isPresent()
        ? "token as in ERRAND_TOKEN"
        : "token in " + Path.of(config.home()).resolve("token");
  }

  /** The header by which the administrator is known, for what the server asks of itself. Secret. */
  public String adminAuthorization() {
    return SCHEME + new String(token, StandardCharsets.UTF_8);
  }

  /**
   * Whose request this is.
   *
   * @param authorization the header, or null
   * @return the principal, or null if the token is unknown
   */
  public @Nullable String principalOf(@Nullable String authorization) {
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return null;
    }
    byte[] given = authorization.substring(SCHEME.length()).trim().getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(given, token) ? ADMIN : null;
  }
}
