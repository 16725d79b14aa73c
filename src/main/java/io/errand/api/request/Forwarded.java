package io.errand.api.request;

import io.errand.network.Networks;
import io.vertx.core.MultiMap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a trusted front says of its client, by {@code Forwarded} (RFC 7239) or by {@code
 * X-Forwarded-For}, {@code -Proto}, {@code -Host} and {@code -Prefix}. A front may pass on what its
 * client has written, so each value is checked, and one that is not plain is ignored: a host is a
 * host, a prefix is a path. {@code Forwarded} goes before the others.
 */
final class Forwarded {
  private static final int MOST_HOPS = 32;
  private static final int MOST_CHARACTERS = 4096;
  private static final int MOST_OF_PREFIX = 256;
  private static final int MOST_PORT = 65_535;

  /** One parameter of one hop and what separates it from the next (RFC 7239, section 4). */
  private static final Pattern PARAMETER =
      Pattern.compile(
          "[ \\t]{0,8}+([A-Za-z]{1,20})=(?:\"([^\"\\\\]*+)\"|([!#$%&'*+.^_`|~0-9A-Za-z-]++))[ \\t]{0,8}+([;,]|\\z)");

  /** A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port. */
  private static final Pattern HOST =
      Pattern.compile(
          "(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\\[[0-9A-Fa-f:.]{2,45}])(?::([0-9]{1,5}))?+");

  private static final Pattern SEGMENT = Pattern.compile("[A-Za-z0-9_~-][A-Za-z0-9._~-]*+");

  private final Networks trusted;

  /**
   * @param trusted the networks of fronts
   */
  Forwarded(Networks trusted) {
    this.trusted = trusted;
  }

  /** What one front says; each may be null. */
  private record Hop(@Nullable String node, @Nullable String scheme, @Nullable String host) {}

  /**
   * What the headers of a request make of it.
   *
   * @param direct how it would be without them; its client is a front that is trusted
   */
  Origin origin(Origin direct, MultiMap headers) {
    List<String> lines = headers.getAll("Forwarded");
    List<Hop> hops = lines.isEmpty() ? older(headers) : standard(String.join(",", lines));
    boolean isSecure = direct.isSecure();
    String host = direct.host();
    String client = direct.client();
    for (int i = hops.size() - 1; i >= 0 && isTrusted(client); i--) {
      Hop hop = hops.get(i);
      isSecure = hop.scheme() == null ? isSecure : hop.scheme().equals("https");
      host = hop.host() == null ? host : hop.host();
      if (hop.node() == null) {
        break; // who is behind it is not known
      }
      client = hop.node();
    }
    return new Origin(isSecure, host, prefix(headers), client);
  }

  private boolean isTrusted(String address) {
    byte[] bytes = Networks.address(address);
    return bytes != null && trusted.hold(bytes);
  }

  /** The hops of {@code Forwarded}, or none where one of them is malformed. */
  private static List<Hop> standard(String text) {
    List<Hop> hops = new ArrayList<>();
    Map<String, String> parameters = new HashMap<>();
    if (text.length() > MOST_CHARACTERS) {
      return List.of();
    }
    Matcher matcher = PARAMETER.matcher(text);
    int at = 0;
    while (at < text.length() || at == 0) {
      if (!matcher.find(at) || matcher.start() != at || hops.size() == MOST_HOPS) {
        return List.of();
      }
      String quoted = matcher.group(2);
      String value = quoted == null ? matcher.group(3) : quoted;
      if (parameters.put(matcher.group(1).toLowerCase(Locale.ROOT), value) != null) {
        return List.of();
      }
      if (!matcher.group(4).equals(";")) {
        hops.add(
            new Hop(
                node(parameters.get("for")),
                scheme(parameters.get("proto")),
                host(parameters.get("host"))));
        parameters.clear();
      }
      at = matcher.end();
    }
    return parameters.isEmpty() ? hops : List.of();
  }

  /**
   * The hops of {@code X-Forwarded-For}. Scheme and host are of the last front that is trusted
   * wherever they stand, and count only where there is one of each.
   */
  private static List<Hop> older(MultiMap headers) {
    String scheme = scheme(only(headers, "X-Forwarded-Proto"));
    String host = host(only(headers, "X-Forwarded-Host"));
    String addresses = String.join(",", headers.getAll("X-Forwarded-For"));
    List<Hop> hops = new ArrayList<>();
    if (addresses.length() <= MOST_CHARACTERS) {
      String[] nodes = addresses.split(",", -1);
      for (int i = Math.max(0, nodes.length - MOST_HOPS); i < nodes.length; i++) {
        hops.add(new Hop(node(nodes[i].strip()), scheme, host));
      }
    }
    return hops.isEmpty() ? List.of(new Hop(null, scheme, host)) : hops;
  }

  private static @Nullable String only(MultiMap headers, String name) {
    List<String> values = headers.getAll(name);
    return values.size() == 1 ? values.get(0).strip() : null;
  }

  /** An address without its port, or null. */
  private static @Nullable String node(@Nullable String text) {
    if (text == null) {
      return null;
    }
    String address = text;
    if (text.startsWith("[")) {
      int end = text.indexOf(']');
      address = end < 0 ? "" : text.substring(1, end);
    } else if (text.indexOf('.') > 0 && text.indexOf(':') > 0) {
      address = text.substring(0, text.indexOf(':'));
    }
    return Networks.address(address) == null ? null : address;
  }

  private static @Nullable String scheme(@Nullable String text) {
    String scheme = text == null ? "" : text.toLowerCase(Locale.ROOT);
    return scheme.equals("https") || scheme.equals("http") ? scheme : null;
  }

  private static @Nullable String host(@Nullable String text) {
    Matcher matcher = HOST.matcher(text == null ? "" : text);
    if (!matcher.matches()) {
      return null;
    }
    String port = matcher.group(1);
    return port == null || Integer.parseInt(port) <= MOST_PORT ? text : null;
  }

  /** A path of plain segments, which leads nowhere else: no {@code ..} and no second slash. */
  private static String prefix(MultiMap headers) {
    String text = only(headers, "X-Forwarded-Prefix");
    if (text == null || text.length() > MOST_OF_PREFIX || !text.startsWith("/")) {
      return "";
    }
    String path = text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    if (path.isEmpty()) {
      return "";
    }
    for (String segment : path.substring(1).split("/", -1)) {
      if (!SEGMENT.matcher(segment).matches()) {
        return "";
      }
    }
    return path;
  }
}
