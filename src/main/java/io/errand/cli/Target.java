package io.errand.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Which server is called, and as whom.
 *
 * @param url without a slash at its end
 * @param isOfHome whether it is what the data directory says, and may change there
 * @param credential what requests are sent with
 * @param refusal what to say where the credential is refused
 */
record Target(String url, boolean isOfHome, Credential credential, String refusal) {
  private static final String STANDARD_URL = "http://127.0.0.1:8080";

  /** The server that is named by options, the environment, a context or the data directory. */
  static Target find() {
    String set = ClientSettings.url();
    Path home = ClientSettings.home();
    String url = address();
    boolean isOfHome = set == null;
    String given = ClientSettings.token();
    if (given != null) {
      String token = Http.header(given);
      return new Target(
          url,
          isOfHome,
          () -> token,
          "the token of " + ClientSettings.nameOfToken() + " is not accepted by " + url);
    }
    SavedLogin login = SavedLogin.find(url);
    if (login != null) {
      return new Target(
          url,
          isOfHome,
          Credential.of(login),
          "the login is not accepted by " + url + "; log in again with `errand login`, or out");
    }
    String own = ClientSettings.firstLine(home.resolve("url"));
    if (!isOfHome && (own == null || !url.equals(ClientSettings.plain(own)))) {
      // The token of the data directory is another server's, and must not be sent to this one.
      return new Target(
          url,
          false,
          () -> "",
          ClientSettings.nameOfUrl()
              + " is not the server of "
              + home.resolve("url")
              + ", so its token was not sent; set ERRAND_TOKEN");
    }
    Path file = home.resolve("token");
    String token = ClientSettings.firstLine(file);
    if (token == null) {
      throw new ClientException(
          ExitCodes.REFUSED,
          "no token: set ERRAND_TOKEN, or start a server with `errand serve` first ("
              + file
              + " cannot be read)");
    }
    String text = Http.header(token);
    return new Target(
        url,
        isOfHome,
        () -> text,
        "the token in " + file + " is not accepted by " + url + "; set ERRAND_TOKEN");
  }

  /** The address alone. */
  static String address() {
    String set = ClientSettings.url();
    String url = set == null ? ofHome() : ClientSettings.plain(set);
    return url == null ? STANDARD_URL : url;
  }

  /** The address that the data directory says, or null. */
  static @Nullable String ofHome() {
    String own = ClientSettings.firstLine(ClientSettings.home().resolve("url"));
    return own == null || own.isEmpty() ? null : ClientSettings.plain(own);
  }
}
