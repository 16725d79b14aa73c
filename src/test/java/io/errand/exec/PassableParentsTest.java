package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PassableParentsTest {
  @TempDir Path folder;

  @BeforeEach
  void begin() {
    LibC.umask(0077);
  }

  @Test
  void thoseThatAreMissingLetOthersPassAndTheRestStay() throws IOException {
    Path there = Files.createDirectory(folder.resolve("there"));
    PassableParents.make(there.resolve("a/b/home"));
    assertThat(permissions(there)).isEqualTo("rwx------");
    assertThat(permissions(there.resolve("a"))).isEqualTo("rwx--x--x");
    assertThat(permissions(there.resolve("a/b"))).isEqualTo("rwx--x--x");
    assertThat(there.resolve("a/b/home")).doesNotExist();
  }

  @Test
  void aFileInTheWayIsAnError() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> PassableParents.make(file.resolve("a/home")))
        .isInstanceOf(IOException.class);
    Path nowhere = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
    assertThatThrownBy(() -> PassableParents.make(nowhere.resolve("home")))
        .isInstanceOf(IOException.class);
  }

  private static String permissions(Path directory) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(directory));
  }
}
