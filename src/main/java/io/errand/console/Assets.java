package io.errand.console;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The files that pages load: ours, and those of libraries, which come as WebJars. */
@ApplicationScoped
public class Assets {
  private static final String JAVASCRIPT = "text/javascript; charset=utf-8";
  private static final String CSS = "text/css; charset=utf-8";
  private static final int VERSION_LENGTH = 12;

  /** By name: where each is. In a WebJar the version of the library stands for the percent sign. */
  private static final Map<String, Place> PLACES =
      Map.ofEntries(
          Map.entry("console.css", Place.ours("console.css", CSS)),
          Map.entry("theme.js", Place.ours("theme.js", JAVASCRIPT)),
          Map.entry("console.js", Place.ours("console.js", JAVASCRIPT)),
          Map.entry("terminal.js", Place.ours("terminal.js", JAVASCRIPT)),
          Map.entry("kept.js", Place.ours("kept.js", JAVASCRIPT)),
          Map.entry("log.js", Place.ours("log.js", JAVASCRIPT)),
          Map.entry("processes.js", Place.ours("processes.js", JAVASCRIPT)),
          Map.entry("output.js", Place.ours("output.js", JAVASCRIPT)),
          Map.entry("charts.js", Place.ours("charts.js", JAVASCRIPT)),
          Map.entry("icon.svg", Place.ours("icon.svg", "image/svg+xml")),
          Map.entry("htmx.min.js", new Place("htmx.org", "dist/htmx.min.js", JAVASCRIPT)),
          Map.entry("uPlot.iife.min.js", new Place("uplot", "dist/uPlot.iife.min.js", JAVASCRIPT)),
          Map.entry("uPlot.min.css", new Place("uplot", "dist/uPlot.min.css", CSS)));

  private final Map<String, Asset> assets = new TreeMap<>();
  private final String version;

  Assets() {
    PLACES.forEach((name, place) -> assets.put(name, new Asset(place.type(), place.read())));
    version = hash();
  }

  /**
   * A file.
   *
   * @param bytes not to be changed
   */
  @SuppressWarnings("ArrayRecordComponent") // sent, never compared
  record Asset(String type, byte[] bytes) {}

  private record Place(@Nullable String webjar, String path, String type) {
    static Place ours(String path, String type) {
      return new Place(null, path, type);
    }

    byte[] read() {
      return Assets.read(
          webjar == null
              ? "console/" + path
              : "META-INF/resources/webjars/" + webjar + "/" + versionOf(webjar) + "/" + path);
    }

    private static String versionOf(String webjar) {
      Properties properties = new Properties();
      try (InputStream in = open("META-INF/maven/org.webjars.npm/" + webjar + "/pom.properties")) {
        properties.load(in);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return String.valueOf(properties.getProperty("version"));
    }
  }

  private static InputStream open(String path) {
    InputStream in = Thread.currentThread().getContextClassLoader().getResourceAsStream(path);
    if (in == null) {
      throw new IllegalStateException("The build has no " + path);
    }
    return in;
  }

  private static byte[] read(String path) {
    try (InputStream in = open(path)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String hash() {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      assets.values().forEach(asset -> sha256.update(asset.bytes()));
      return HexFormat.of().formatHex(sha256.digest()).substring(0, VERSION_LENGTH);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }

  /** Stands in the address of each file, and is another one after each change of any. */
  String version() {
    return version;
  }

  /**
   * A file by its name.
   *
   * @throws Problem 404
   */
  Asset find(String name) {
    Asset asset = assets.get(name);
    if (asset == null) {
      throw Problem.of(Kind.NOT_FOUND, Kind.NOT_FOUND.title);
    }
    return asset;
  }
}
