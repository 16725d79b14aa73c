package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryDirectoriesTest {
  @TempDir Path folder;
  private Path root;
  private TemporaryDirectories directories;
  private int number;

  /** Something that a command does to its directory, or in it. */
  private interface Deed {
    void doTo(Path directory) throws IOException;
  }

  @BeforeEach
  void begin() throws IOException {
    LibC.umask(0077);
    root = folder.resolve("tmp");
    directories = new TemporaryDirectories(root);
  }

  @Test
  void oneThatComesBackAsItWasMadeServesAgainUnderAnotherName() throws IOException {
    assertThat(servesAgainAfter(true, directory -> {})).isTrue();
  }

  @Test
  void oneThatMayStillBeUsedDoesNotServeAgain() throws IOException {
    assertThat(servesAgainAfter(false, directory -> {})).isFalse();
  }

  @Test
  void oneThatHoldsSomethingDoesNotServeAgain() throws IOException {
    assertThat(servesAgainAfter(true, directory -> Files.createFile(directory.resolve(".x"))))
        .isFalse();
  }

  @Test
  void oneThatWasOpenedToOthersDoesNotServeAgain() throws IOException {
    assertThat(
            servesAgainAfter(
                true,
                directory ->
                    Files.setPosixFilePermissions(
                        directory, PosixFilePermissions.fromString("rwxr-x---"))))
        .isFalse();
  }

  @Test
  void oneThatWasGivenAnAttributeDoesNotServeAgain() throws IOException {
    assertThat(
            servesAgainAfter(
                true,
                directory ->
                    Files.getFileAttributeView(directory, UserDefinedFileAttributeView.class)
                        .write("x", StandardCharsets.UTF_8.encode("y"))))
        .isFalse();
  }

  @Test
  void aLinkInItsPlaceIsRemovedAndNotWhatItLeadsTo() throws IOException {
    Path precious = Files.createDirectory(folder.resolve("precious"));
    Path file = Files.createFile(precious.resolve("file"));
    boolean again =
        servesAgainAfter(
            true,
            directory -> {
              Files.delete(directory);
              Files.createSymbolicLink(directory, precious);
            });
    assertThat(again).isFalse();
    assertThat(file).exists();
  }

  @Test
  void whatACommandHasPutAsideInItsPlaceIsNotTrusted() throws IOException {
    // The directory that was made ahead is gone: the next command gets a new one.
    try (Stream<Path> all = Files.list(root)) {
      for (Path aside : all.toList()) {
        Files.delete(aside);
      }
    }
    assertThat(make()).isEmptyDirectory();
  }

  @Test
  void noMoreThanABoundedNumberIsPutAside() throws IOException {
    Path[] many = new Path[100];
    for (int i = 0; i < many.length; i++) {
      many[i] = make();
    }
    for (Path directory : many) {
      directories.remove(directory, true);
    }
    try (Stream<Path> left = Files.list(root)) {
      assertThat(left).hasSize(64);
    }
  }

  private Path make() throws IOException {
    Path directory = directories.of("cookie" + number++);
    directories.make(directory);
    return directory;
  }

  /**
   * Whether the next command gets the same directory, told by a time that nobody else would set.
   */
  private boolean servesAgainAfter(boolean unused, Deed deed) throws IOException {
    Path directory = make();
    FileTime mark = FileTime.fromMillis(1_000);
    deed.doTo(directory);
    Files.setLastModifiedTime(directory, mark);
    directories.remove(directory, unused);
    assertThat(directory).doesNotExist();
    Path next = make();
    assertThat(next).isEmptyDirectory();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(next)))
        .isEqualTo("rwx------");
    return Files.readAttributes(next, BasicFileAttributes.class).lastModifiedTime().equals(mark);
  }
}
