package io.errand.cli;

import io.errand.cli.ProviderCalls.Answer;
import io.errand.client.Json;
import io.errand.text.FaultText;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code errand login} has got for one server, in a file that only its user may read. It is
 * replaced as its token comes to its end; several clients at once take turns.
 *
 * @param url of the server
 * @param issuer that the token is of
 * @param clientId who we are to the issuer
 * @param tokenEndpoint where a token is renewed
 * @param accessToken for the server
 * @param refreshToken for the issuer, or empty
 * @param expiresAt when the access token ends, in seconds since 1970
 */
record SavedLogin(
    String url,
    String issuer,
    String clientId,
    String tokenEndpoint,
    String accessToken,
    String refreshToken,
    long expiresAt) {
  private static final int EARLY_SECONDS = 30;
  private static final int USUAL_SECONDS = 300;
  private static final int MOST_NAME = 250;

  /** What a provider has answered to a request for a token. */
  static SavedLogin of(
      String url, String issuer, String clientId, String endpoint, String refresh, Answer answer) {
    String renewed = answer.text("refresh_token");
    return new SavedLogin(
        url,
        issuer,
        clientId,
        endpoint,
        answer.text("access_token"),
        renewed.isEmpty() ? refresh : renewed,
        Instant.now().getEpochSecond() + answer.seconds("expires_in", USUAL_SECONDS));
  }

  private static Path folder() {
    return ClientSettings.configuration().resolve("logins");
  }

  private static Path file(String url) {
    String name = Http.encode(url);
    if (name.length() > MOST_NAME) {
      throw new ClientException(ExitCodes.USAGE, "the address of the server is too long");
    }
    return folder().resolve(name + ".json");
  }

  /** The one for a server, or null. */
  static @Nullable SavedLogin find(String url) {
    if (!Files.isDirectory(folder())) {
      return null;
    }
    Path file = file(url);
    try {
      Map<String, Object> json = Json.object(Files.readString(file));
      return new SavedLogin(
          url,
          text(json, "issuer"),
          text(json, "client_id"),
          text(json, "token_endpoint"),
          text(json, "access_token"),
          text(json, "refresh_token"),
          json.get("expires_at") instanceof Number number ? number.longValue() : 0);
    } catch (java.nio.file.NoSuchFileException e) {
      return null;
    } catch (IOException e) {
      throw new ClientException(
          ExitCodes.REFUSED,
          "the login in " + file + " cannot be read (" + FaultText.of(e) + "); log in again");
    }
  }

  private static String text(Map<String, Object> json, String name) {
    return json.get(name) instanceof String text ? text : "";
  }

  /** Removes the one for a server; gives whether there was one. */
  static boolean delete(String url) {
    try {
      return Files.isDirectory(folder()) && Files.deleteIfExists(file(url));
    } catch (IOException e) {
      throw cannotBeKept(e);
    }
  }

  /** Keeps it, in the place of an earlier one. */
  void save() {
    try {
      Files.createDirectories(folder(), only("rwx------"));
      Path file = file(url);
      Path partial = Files.createTempFile(folder(), "partial", ".json", only("rw-------"));
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("url", url);
      json.put("issuer", issuer);
      json.put("client_id", clientId);
      json.put("token_endpoint", tokenEndpoint);
      json.put("access_token", accessToken);
      json.put("refresh_token", refreshToken);
      json.put("expires_at", expiresAt);
      Files.writeString(partial, Json.write(Given.of(json)) + "\n");
      Files.move(
          partial, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw cannotBeKept(e);
    }
  }

  private static FileAttribute<?> only(String permissions) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
  }

  private static ClientException cannotBeKept(IOException fault) {
    return new ClientException(
        ExitCodes.FAILED, "the login cannot be kept in " + folder() + ": " + FaultText.of(fault));
  }

  private boolean isFresh() {
    return Instant.now().getEpochSecond() < expiresAt - EARLY_SECONDS;
  }

  /**
   * This one, or one whose token is newer.
   *
   * @throws ClientException if it has ended, and the provider gives no other
   */
  SavedLogin current() {
    if (isFresh()) {
      return this;
    }
    Path turn = folder().resolve("turn");
    try (FileChannel channel =
            FileChannel.open(turn, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      SavedLogin now = find(url); // another client may have renewed it
      if (now == null || !lock.isValid()) {
        throw ended("it was removed");
      }
      return now.isFresh() ? now : now.renewed();
    } catch (IOException e) {
      throw cannotBeKept(e);
    }
  }

  private SavedLogin renewed() {
    boolean isOver = Instant.now().getEpochSecond() >= expiresAt;
    if (refreshToken.isEmpty()) {
      if (isOver) {
        throw ended("it has expired");
      }
      return this;
    }
    try {
      Answer answer =
          ProviderCalls.post(
              tokenEndpoint,
              Map.of(
                  "grant_type",
                  "refresh_token",
                  "refresh_token",
                  refreshToken,
                  "client_id",
                  clientId));
      if (!answer.isWell() || answer.text("access_token").isEmpty()) {
        throw ended(answer.fault());
      }
      SavedLogin renewed = of(url, issuer, clientId, tokenEndpoint, refreshToken, answer);
      renewed.save();
      return renewed;
    } catch (IOException e) {
      if (!isOver) {
        return this;
      }
      throw ProviderCalls.away(issuer, e);
    }
  }

  private ClientException ended(String why) {
    return new ClientException(
        ExitCodes.REFUSED,
        "the login for " + url + " has ended (" + why + "); log in again with `errand login`");
  }
}
