package io.errand.style;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every dependency is the file that it was when it was taken up. {@code ./mvnw test
 * -Dtest=DependenciesTest -Ddependencies.record=true} writes the list anew.
 */
class DependenciesTest {
  private static final Path LIST = Path.of("dependencies.sha256");

  /** Binaries of the built-in database; a build has those of its own platform. */
  private static final String BINARIES = "postgres-.*\\.txz";

  private static String sha256(Path file) throws IOException {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, String> found() throws IOException {
    Map<String, String> found = new TreeMap<>();
    String path =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    for (String entry : path.split(":", -1)) {
      if (entry.endsWith(".jar")) {
        found.put(Path.of(entry).getFileName().toString(), sha256(Path.of(entry)));
      }
    }
    Path binaries = Path.of("target/postgresql");
    if (Files.isDirectory(binaries)) {
      try (Stream<Path> files = Files.list(binaries)) {
        for (Path file : files.toList()) {
          if (file.getFileName().toString().matches(BINARIES)) {
            found.put(file.getFileName().toString(), sha256(file));
          }
        }
      }
    }
    return found;
  }

  private static Map<String, String> listed() throws IOException {
    Map<String, String> listed = new TreeMap<>();
    for (String line : Files.readAllLines(LIST)) {
      listed.put(line.substring(66), line.substring(0, 64));
    }
    return listed;
  }

  @Test
  void everyFileHasItsChecksum() throws IOException {
    Map<String, String> found = found();
    assertThat(found).hasSizeGreaterThan(150);
    if (Boolean.getBoolean("dependencies.record")) {
      if (Files.exists(LIST)) {
        listed().forEach((name, sum) -> keepOtherPlatform(found, name, sum));
      }
      StringBuilder text = new StringBuilder();
      found.forEach((name, sum) -> text.append(sum).append("  ").append(name).append('\n'));
      Files.writeString(LIST, text);
    }
    Map<String, String> listed = listed();
    listed.keySet().removeIf(name -> name.matches(BINARIES) && !found.containsKey(name));
    assertThat(found).isEqualTo(listed);
  }

  private static void keepOtherPlatform(Map<String, String> found, String name, String sum) {
    if (name.matches(BINARIES)) {
      found.putIfAbsent(name, sum);
    }
  }
}
