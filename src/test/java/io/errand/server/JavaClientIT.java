package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client for Java programs, as the artifact that programs get. */
class JavaClientIT extends OneServer {
  private static final Path JAR = TestServer.CHECKOUT.resolve("target/errand-client-0.1.0.jar");
  private static final Path SOURCE =
      TestServer.CHECKOUT.resolve("src/test/client/UseOfClient.java");

  @TempDir Path folder;

  private static String version(String pom) {
    return pom.replaceFirst("(?s).*?<version>", "").replaceFirst("(?s)<.*", "");
  }

  @Test
  void aProgramNeedsNothingButItsJar() throws Exception {
    assertThat(
            run(
                List.of(
                    tool("javac"),
                    "--release",
                    "17",
                    "-Xlint:all",
                    "-Werror",
                    "-cp",
                    JAR.toString(),
                    "-d",
                    folder.toString(),
                    SOURCE.toString())))
        .isEmpty();
    assertThat(
            run(
                List.of(
                    tool("java"),
                    "-cp",
                    JAR + ":" + folder,
                    "UseOfClient",
                    server.url(),
                    server.token())))
        .isEqualTo("all holds\n");
  }

  @Test
  void itIsAnArtifactOfItsOwn() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      assertThat(jar.stream().map(entry -> entry.getName()).filter(name -> !name.endsWith("/")))
          .contains("io/errand/client/ErrandClient.class")
          .allMatch(name -> name.startsWith("io/errand/client/") || name.startsWith("META-INF/"));
      byte[] pom =
          jar.getInputStream(jar.getEntry("META-INF/maven/io.errand/errand-client/pom.xml"))
              .readAllBytes();
      assertThat(new String(pom, java.nio.charset.StandardCharsets.UTF_8))
          .contains("<artifactId>errand-client</artifactId>")
          .doesNotContain("<dependenc")
          .satisfies(
              text ->
                  assertThat(version(text))
                      .isEqualTo(
                          version(Files.readString(TestServer.CHECKOUT.resolve("pom.xml")))));
    }
  }

  private static String tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  private String run(List<String> command) throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(8, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(output);
    assertThat(process.exitValue()).as(said).isZero();
    return said;
  }
}
