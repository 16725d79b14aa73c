package io.errand.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A server that has a name on this host.
 *
 * @param name by which people know it
 * @param url of the server, or null if it has a data directory
 * @param home the data directory of a server on this host, or null if it has an address
 * @param token for the server, or null for a login or that of the data directory
 * @param project to work in, or null for that of the caller
 * @param caFile with the certificates of authorities, or null for those of Java
 */
record Context(
    String name,
    @Nullable String url,
    @Nullable String home,
    @Nullable String token,
    @Nullable String project,
    @Nullable String caFile) {

  /** As the file has it. */
  static Context of(Map<?, ?> json) {
    return new Context(
        String.valueOf(json.get("name")),
        text(json, "url"),
        text(json, "home"),
        text(json, "token"),
        text(json, "project"),
        text(json, "ca_file"));
  }

  private static @Nullable String text(Map<?, ?> json, String name) {
    return json.get(name) instanceof String text && !text.isEmpty() ? text : null;
  }

  /** For the file. */
  Map<String, Object> json() {
    Map<String, Object> json = shown();
    json.put("token", token);
    json.values().removeIf(value -> value == null);
    return json;
  }

  /** For people: without the token. */
  Map<String, Object> shown() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", name);
    json.put("url", url);
    json.put("home", home);
    json.put("project", project);
    json.put("ca_file", caFile);
    return json;
  }
}
