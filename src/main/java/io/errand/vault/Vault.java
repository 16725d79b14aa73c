package io.errand.vault;

import io.errand.client.Json;
import io.errand.network.Authorities;
import io.errand.network.BoundedCall;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A Vault that this process logs in to when it first asks for something. Each call is made on the
 * thread of the caller and takes at most a few times 10 seconds. Safe from any thread.
 */
public final class Vault {
  private final String url;
  private final VaultLogin login;
  private final @Nullable String namespace;
  private final @Nullable SSLContext trust;
  private @Nullable VaultToken token; // guarded by this
  private long logins; // guarded by this

  private Vault(
      String url, VaultLogin login, @Nullable String namespace, @Nullable SSLContext trust) {
    this.url = url;
    this.login = login;
    this.namespace = namespace;
    this.trust = trust;
  }

  /**
   * That of the settings; nothing is asked yet.
   *
   * @param settings gives the value of a setting by its name, such as {@code vault-url}, or null
   * @return null where the settings name none
   * @throws IllegalStateException with a sentence, if they do not fit together
   */
  public static @Nullable Vault of(Function<String, @Nullable String> settings) {
    String url = settings.apply("vault-url");
    if (url == null) {
      return null;
    }
    return new Vault(
        url,
        VaultLogin.of(settings),
        settings.apply("vault-namespace"),
        Authorities.ofSetting("ERRAND_VAULT_CA_FILE", settings.apply("vault-ca-file")));
  }

  /**
   * Reads a secret, or has Vault make one.
   *
   * @param path with its mount, such as {@code secret/data/errand} or {@code database/creds/errand}
   * @throws VaultException if there is none, or Vault does not give it
   */
  public Grant read(String path) throws VaultException {
    return grant(path, request(path, null));
  }

  /**
   * Makes a lease longer.
   *
   * @param seconds how long it is to last from now on; Vault may give less
   * @return how long it lasts
   * @throws VaultException if Vault does not
   */
  public long renew(String leaseId, long seconds) throws VaultException {
    Map<String, Object> answer =
        request("sys/leases/renew", Map.of("lease_id", leaseId, "increment", seconds));
    return number(answer.get("lease_duration"));
  }

  /**
   * Sees to it that the token lasts. Leases of a token end with it.
   *
   * @throws VaultException if Vault gives none
   */
  public synchronized void keepToken() throws VaultException {
    VaultToken had = token;
    if (had == null) {
      logIn();
      return;
    }
    if (!had.isHalfOver()) {
      return;
    }
    if (had.isRenewable() && had.secondsLeft() > 0) {
      try {
        VaultToken renewed = tokenOf(call("auth/token/renew-self", Map.of(), had.text()));
        if (renewed.seconds() >= had.seconds() / 4 * 3) {
          token = renewed;
          return;
        }
      } catch (VaultException e) {
        if (!e.isRefusal()) {
          throw e;
        }
      }
    }
    logIn();
  }

  /** A number that is another after each login, by which a lease is known to be of this token. */
  public synchronized long logins() {
    return logins;
  }

  /** How long the token lasts, without a request. */
  public synchronized long tokenSecondsLeft() {
    VaultToken has = token;
    return has == null ? 0 : has.secondsLeft();
  }

  /** With the token that is there; with a new one if Vault does not know it any more. */
  private Map<String, Object> request(String path, @Nullable Map<String, Object> body)
      throws VaultException {
    VaultToken has;
    synchronized (this) {
      has = token == null || token.secondsLeft() == 0 ? logIn() : token;
    }
    try {
      return call(path, body, has.text());
    } catch (VaultException e) {
      if (e.status() != HttpURLConnection.HTTP_FORBIDDEN) {
        throw e;
      }
    }
    synchronized (this) {
      has = has.equals(token) ? logIn() : token;
    }
    return call(path, body, has == null ? "" : has.text());
  }

  private synchronized VaultToken logIn() throws VaultException {
    VaultToken fresh =
        login.method().equals("token")
            ? own(login.proof())
            : tokenOf(call("auth/" + login.mount() + "/login", login.body(), null));
    if (token == null || !token.text().equals(fresh.text())) {
      logins++;
    }
    token = fresh;
    return fresh;
  }

  private VaultToken own(String text) throws VaultException {
    long now = System.nanoTime();
    Map<String, Object> data = map(call("auth/token/lookup-self", null, text).get("data"));
    return new VaultToken(
        text, Boolean.TRUE.equals(data.get("renewable")), number(data.get("ttl")), now);
  }

  private static VaultToken tokenOf(Map<String, Object> answer) throws VaultException {
    Map<String, Object> auth = map(answer.get("auth"));
    if (!(auth.get("client_token") instanceof String text)) {
      throw new VaultException(0, "Vault answers a login without a token");
    }
    return new VaultToken(
        text,
        Boolean.TRUE.equals(auth.get("renewable")),
        number(auth.get("lease_duration")),
        System.nanoTime());
  }

  private Map<String, Object> call(
      String path, @Nullable Map<String, Object> body, @Nullable String tokenText)
      throws VaultException {
    Map<String, String> headers = new HashMap<>();
    headers.put("X-Vault-Request", "true");
    if (tokenText != null) {
      headers.put("X-Vault-Token", tokenText);
    }
    if (namespace != null) {
      headers.put("X-Vault-Namespace", namespace);
    }
    BoundedCall.Answer answer;
    try {
      answer =
          new BoundedCall(
                  url + "/v1/" + path,
                  headers,
                  "application/json",
                  body == null ? null : Json.write(body),
                  trust)
              .send();
    } catch (IOException e) {
      throw new VaultException(0, "Vault does not answer at " + url + " (" + path + ")");
    } catch (IllegalArgumentException e) {
      throw new VaultException(0, "the token for Vault or the path " + path + " cannot be sent");
    }
    try {
      if (answer.status() == HttpURLConnection.HTTP_OK) {
        return Json.object(answer.body());
      }
    } catch (IOException e) {
      throw new VaultException(0, "Vault answers something that is no JSON (" + path + ")");
    }
    throw new VaultException(answer.status(), "Vault answers " + answer.status() + " to " + path);
  }

  private static Grant grant(String path, Map<String, Object> answer) throws VaultException {
    Map<String, Object> data = map(answer.get("data"));
    boolean isVersioned = data.get("metadata") instanceof Map && data.containsKey("data");
    Map<String, String> values = new LinkedHashMap<>();
    for (Map.Entry<String, Object> value :
        (isVersioned ? map(data.get("data")) : data).entrySet()) {
      if (value.getValue() instanceof Map || value.getValue() instanceof List) {
        throw new VaultException(
            0, "The value " + value.getKey() + " of " + path + " in Vault is no text");
      }
      if (value.getValue() != null) {
        values.put(value.getKey(), value.getValue().toString());
      }
    }
    String lease = answer.get("lease_id") instanceof String id && !id.isEmpty() ? id : null;
    return new Grant(
        values,
        lease,
        Boolean.TRUE.equals(answer.get("renewable")),
        lease == null ? 0 : number(answer.get("lease_duration")));
  }

  @SuppressWarnings("unchecked") // JSON has no other maps
  private static Map<String, Object> map(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  private static long number(@Nullable Object value) {
    return value instanceof Number number ? number.longValue() : 0;
  }
}
