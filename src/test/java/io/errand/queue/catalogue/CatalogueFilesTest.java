package io.errand.queue.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarkus.runtime.StartupEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever asks for the commands of files gets an answer, whatever the files are. */
@Timeout(120)
class CatalogueFilesTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final String PATTERN =
      "{\"command\":[\"/bin/echo\",\"{a}\"],\"parameters\":{\"a\":{\"type\":\"string\",\"pattern\":\"%s\"}}}";

  @TempDir private Path directory;
  private CatalogueFiles files = new CatalogueFiles(Optional::empty, (defaults, path, all) -> {});

  @BeforeEach
  void startWithOne() throws IOException {
    write("first", "a*");
    files =
        new CatalogueFiles(() -> Optional.of(directory.toString()), (defaults, path, all) -> {});
    files.start(new StartupEvent());
    assertThat(files.commands()).containsOnlyKeys("first");
  }

  private void write(String name, String pattern) throws IOException {
    Files.writeString(directory.resolve(name + ".json"), PATTERN.formatted(pattern));
  }

  @Test
  void aFileWhosePatternCannotBeCompiledChangesNothing() throws IOException {
    Map<String, NamedCommand> before = files.commands();
    write("second", "(?i)\u1c80");
    assertThat(files.commands()).isSameAs(before);
    write("second", "b*");
    await().atMost(LONG).until(() -> files.commands().keySet().contains("second"));
  }

  @Test
  void aFileThatIsNotReadInTimeIsNotWaitedFor() throws IOException, InterruptedException {
    Path pipe = directory.resolve("pipe.json");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Map<String, NamedCommand> before = files.commands();
    assertThat(before).containsOnlyKeys("first");
    assertThat(files.commands()).isSameAs(before);
    Files.writeString(pipe, PATTERN.formatted("c*"));
    await().atMost(LONG).until(() -> files.commands().keySet().contains("pipe"));
  }
}
