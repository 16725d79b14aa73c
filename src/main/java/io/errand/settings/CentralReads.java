package io.errand.settings;

import io.errand.client.Json;
import io.errand.network.Authorities;
import io.errand.network.BoundedCall;
import io.errand.vault.Vault;
import io.errand.vault.VaultException;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What Vault and Consul say, read once at the start and checked as files are. Neither says where it
 * is itself.
 */
final class CentralReads {
  private static final String NOT_FROM_THERE = "(config|profile|consul-.*|vault-.*)";

  private final Function<String, @Nullable String> settings;
  private final List<String> mistakes;
  private final Map<String, Found> found = new LinkedHashMap<>();

  private CentralReads(Function<String, @Nullable String> settings, List<String> mistakes) {
    this.settings = settings;
    this.mistakes = mistakes;
  }

  /**
   * Reads them where the settings name them.
   *
   * @param settings those of all nearer sources, by name; null for one that is not set
   * @param mistakes takes a sentence for each
   * @return the values by the names of their settings; those of Vault come before those of Consul
   */
  static Map<String, Found> read(
      Function<String, @Nullable String> settings, List<String> mistakes) {
    CentralReads reads = new CentralReads(settings, mistakes);
    try {
      reads.readConsul();
      reads.readVault();
    } catch (VaultException e) {
      mistakes.add(e.getMessage() + "; its settings cannot be read");
    } catch (IllegalStateException e) {
      mistakes.add(e.getMessage());
    }
    return reads.found;
  }

  private void readVault() throws VaultException {
    Vault vault = Vault.of(settings);
    String path = settings.apply("vault-settings");
    if (vault == null || path == null) {
      return;
    }
    for (Map.Entry<String, String> value : vault.read(path).values().entrySet()) {
      take(value.getKey(), value.getValue(), "vault:" + path);
    }
  }

  private void readConsul() {
    String url = settings.apply("consul-url");
    if (url == null) {
      return;
    }
    String prefix = settings.apply("consul-prefix");
    String below = (prefix == null ? "errand" : prefix) + "/";
    try {
      BoundedCall.Answer answer = consul(url, below);
      if (answer.status() == HttpURLConnection.HTTP_NOT_FOUND) {
        return; // no key
      }
      if (answer.status() != HttpURLConnection.HTTP_OK) {
        throw new IllegalStateException(
            "Consul answers " + answer.status() + "; its settings cannot be read");
      }
      for (Object key : Json.read(answer.body()) instanceof List<?> keys ? keys : List.of()) {
        takeKey((Map<?, ?>) key, below);
      }
    } catch (IOException | ClassCastException e) {
      throw new IllegalStateException(
          "Consul does not answer at " + url + ", or with no keys; its settings cannot be read", e);
    }
  }

  private BoundedCall.Answer consul(String url, String below) throws IOException {
    String token = settings.apply("consul-token");
    return new BoundedCall(
            url + "/v1/kv/" + below + "?recurse=true",
            token == null ? Map.of() : Map.of("X-Consul-Token", token),
            "",
            null,
            Authorities.ofSetting("ERRAND_CONSUL_CA_FILE", settings.apply("consul-ca-file")))
        .send();
  }

  /** A key that ends with a slash is a folder, and has no value. */
  private void takeKey(Map<?, ?> entry, String below) {
    String key = String.valueOf(entry.get("Key"));
    if (!key.endsWith("/") && entry.get("Value") instanceof String encoded) {
      String value = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
      take(key.substring(below.length()).replace('/', '.'), value, "consul:" + key);
    }
  }

  private void take(String name, String text, String source) {
    Setting setting = Names.ofProperty(name).orElse(null);
    if (setting == null) {
      mistakes.add(
          source
              + ": "
              + Form.shown(name)
              + " is no setting of this server"
              + Names.propertyNear(name));
      return;
    }
    if (setting.name().matches(NOT_FROM_THERE)) {
      mistakes.add(source + ": " + name + " cannot be set there; set " + setting.variable());
      return;
    }
    String value = setting.trimmed(text);
    String complaint = value.isEmpty() ? "" : setting.form().complaint().apply(value);
    if (!complaint.isEmpty()) {
      mistakes.add(source + ": " + name + complaint);
    } else if (!value.isEmpty()) {
      Found earlier = found.put(setting.name(), new Found(value, source));
      if (earlier != null
          && earlier.source().startsWith("consul:")
          && source.startsWith("consul:")) {
        mistakes.add(source + ": " + name + " stands in " + earlier.source() + ", too");
      }
    }
  }
}
