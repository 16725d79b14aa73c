package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryDirectoriesTest {
  private static final int EXTENT_SIZE_INHERIT = 0x1000;

  @TempDir Path folder;
  private Path root;
  private TemporaryDirectories directories;
  private int number;
  private final List<TemporaryDirectories> opened = new ArrayList<>();

  /** Something that a command does to its directory, or in it. */
  private interface Deed {
    void doTo(Path directory) throws IOException;
  }

  @BeforeEach
  void begin() throws IOException {
    LibC.umask(0077);
    root = folder.resolve("tmp");
    directories = open(root);
  }

  private TemporaryDirectories open(Path where) throws IOException {
    TemporaryDirectories made = new TemporaryDirectories(where);
    opened.add(made);
    return made;
  }

  /** Their threads remove files of the folder that is removed after the test. */
  @AfterEach
  void end() {
    opened.forEach(TemporaryDirectories::removeAll);
    opened.clear();
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
  void oneThatWasGivenAFlagDoesNotServeAgain() throws IOException {
    assertThat(servesAgainAfter(true, TemporaryDirectoriesTest::setNoDump)).isFalse();
  }

  private static void setNoDump(Path directory) {
    int descriptor = LibC.open(directory.toString(), LibC.O_CLOEXEC);
    int[] noDump = {0x40, 0};
    // FS_IOC_SETFLAGS
    assumeTrue(
        LibC.ioctl(descriptor, 0x40086602L, noDump) == 0,
        "needs a file system with the flag that keeps files from dumps");
    LibC.close(descriptor);
  }

  @Test
  void oneThatServedACommandBeforeIsNotGivenToAnotherAccount() throws IOException {
    Path directory = make();
    Object key = key(directory);
    try (DirectoryStream<Path> open = Files.newDirectoryStream(directory)) {
      assertThat(open.iterator().hasNext()).isFalse();
      directories.remove(directory, true, () -> {});
      Path next = directories.of("of-another-account");
      directories.make(next, false);
      assertThat(key(next)).isNotEqualTo(key);
    }
    assertThat(key(make())).isEqualTo(key);
  }

  /** Of another project, its files would count for the quota of that. */
  @Test
  void oneThatWasGivenAProjectOrAnExtentSizeDoesNotServeAgain() throws Exception {
    try (LoopFileSystem xfs = LoopFileSystem.make(folder, "xfs", 320, "mkfs.xfs", "-q")) {
      directories = open(xfs.path().resolve("tmp"));
      assertThat(servesAgainAfter(true, directory -> {})).isTrue();
      assertThat(servesAgainAfter(true, directory -> setExtended(directory, 0, 0, 77))).isFalse();
      assertThat(
              servesAgainAfter(
                  true, directory -> setExtended(directory, EXTENT_SIZE_INHERIT, 1 << 20, 0)))
          .isFalse();
      end();
    }
  }

  private static void setExtended(Path directory, int flags, int extentSize, int project) {
    int descriptor = LibC.open(directory.toString(), LibC.O_CLOEXEC);
    int[] extended = new int[LibC.FSXATTR_INTS];
    LibC.ioctl(descriptor, LibC.FS_IOC_FSGETXATTR, extended);
    extended[0] |= flags;
    extended[1] = extentSize;
    extended[3] = project;
    assertThat(LibC.ioctl(descriptor, LibC.FS_IOC_FSSETXATTR, extended)).isZero();
    LibC.close(descriptor);
  }

  @Test
  void oneThatWasAlteredWhileItLayAsideDoesNotServeAgain() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Path file = Files.createFile(elsewhere.resolve("file"));
    List<Deed> deeds =
        List.of(
            aside -> Files.createFile(aside.resolve(".secret")),
            aside ->
                Files.setPosixFilePermissions(aside, PosixFilePermissions.fromString("rwxrwxrwx")),
            Files::delete,
            aside -> {
              Files.delete(aside);
              Files.createFile(aside);
            },
            aside -> {
              Files.delete(aside);
              Files.createSymbolicLink(aside, elsewhere);
            });
    for (Deed deed : deeds) {
      directories.remove(make(), true, () -> {});
      for (Path aside : inRoot()) {
        deed.doTo(aside);
      }
      Path next = make();
      assertThat(Files.isDirectory(next, LinkOption.NOFOLLOW_LINKS)).isTrue();
      assertThat(next).isEmptyDirectory();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(next)))
          .isEqualTo("rwx------");
      directories.remove(next, false, () -> {});
    }
    assertThat(file).exists();
  }

  @Test
  void itsTimeIsThatOfItsSecondService() throws IOException {
    Path directory = make();
    Files.setLastModifiedTime(directory, FileTime.fromMillis(0));
    directories.remove(directory, true, () -> {});
    assertThat(Files.getLastModifiedTime(make())).isGreaterThan(FileTime.fromMillis(0));
  }

  @Test
  void aRootThatIsGoneIsMadeAgain() throws IOException {
    directories.removeAll();
    assertThat(root).doesNotExist();
    assertThat(make()).isEmptyDirectory();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root)))
        .isEqualTo("rwx--x--x");
  }

  @Test
  void noMoreThanABoundedNumberIsPutAside() throws IOException {
    Path[] many = new Path[100];
    for (int i = 0; i < many.length; i++) {
      many[i] = make();
    }
    for (Path directory : many) {
      directories.remove(directory, true, () -> {});
    }
    assertThat(inRoot()).hasSize(64);
  }

  /** M5: the account of a command must be able to reach its directory. */
  @Test
  void parentsThatAreMadeLetOthersPassAndNotList() throws IOException {
    Path deep = folder.resolve("a/b/c");
    open(deep);
    for (Path one : List.of(folder.resolve("a"), folder.resolve("a/b"), deep)) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(one)))
          .isEqualTo("rwx--x--x");
    }
    Path shut = Files.createDirectory(folder.resolve("shut"));
    assertThat(TemporaryDirectories.shutParentOf(shut.resolve("x"))).isEqualTo(shut);
  }

  @Test
  void aStartTakesAwayWhatAnEarlierServerLeft() throws IOException {
    Path left = make();
    Files.createDirectories(left.resolve("a/b"));
    open(root);
    assertThat(left).doesNotExist();
  }

  private Path make() throws IOException {
    Path directory = directories.of("cookie" + number++);
    directories.make(directory, true);
    return directory;
  }

  private List<Path> inRoot() throws IOException {
    try (Stream<Path> all = Files.list(root)) {
      return all.filter(path -> !path.getFileName().toString().startsWith("removing-")).toList();
    }
  }

  /** Whether the next command gets the same directory. */
  private boolean servesAgainAfter(boolean unused, Deed deed) throws IOException {
    Path directory = make();
    Object key = key(directory);
    // As long as this is open, no other can have its key.
    try (DirectoryStream<Path> open = Files.newDirectoryStream(directory)) {
      assertThat(open.iterator().hasNext()).isFalse();
      deed.doTo(directory);
      directories.remove(directory, unused, () -> {});
      assertThat(directory).doesNotExist();
      Path next = make();
      assertThat(next).isEmptyDirectory();
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(next)))
          .isEqualTo("rwx------");
      return key.equals(key(next));
    }
  }

  private static Object key(Path directory) throws IOException {
    return Files.readAttributes(directory, BasicFileAttributes.class).fileKey();
  }
}
