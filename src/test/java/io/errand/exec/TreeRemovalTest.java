package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.errand.exec.TreeRemoval.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreeRemovalTest {
  @TempDir Path folder;
  private Path outside;
  private Path tree;

  @BeforeEach
  void begin() throws IOException {
    outside = Files.createDirectory(folder.resolve("outside"));
    Files.writeString(outside.resolve("file"), "kept");
    tree = Files.createDirectory(folder.resolve("tree"));
  }

  @Test
  void linksAreRemovedAndNotWhatTheyLeadTo() throws IOException {
    Path inner = Files.createDirectories(tree.resolve("a/b"));
    Files.createSymbolicLink(inner.resolve("link"), outside);
    Files.createSymbolicLink(tree.resolve("link"), outside);
    Files.writeString(inner.resolve("file"), "x");
    TreeRemoval.remove(tree, () -> true);
    assertGone();
  }

  @Test
  void aLinkInTheTreesPlaceIsRemovedItself() throws IOException {
    Files.delete(tree);
    Files.createSymbolicLink(tree, outside);
    TreeRemoval.remove(tree, () -> true);
    assertGone();
  }

  @Test
  void aTreeDeeperThanAnyPathNameIsRemoved() throws IOException, InterruptedException {
    Process maker =
        new ProcessBuilder(
                "sh", "-c", "i=0; while [ $i -lt 1450 ]; do mkdir dd && cd -P dd; i=$((i+1)); done")
            .directory(tree.toFile())
            .inheritIO()
            .start();
    assertThat(maker.waitFor()).isZero();
    TreeRemoval.remove(tree, () -> true);
    assertGone();
  }

  @Test
  void directoriesThatWereShutAreRemoved() throws IOException {
    Path inner = Files.createDirectories(tree.resolve("a/b/c"));
    Files.writeString(inner.resolve("file"), "x");
    for (Path shut : List.of(inner, tree.resolve("a/b"), tree.resolve("a"), tree)) {
      Files.setPosixFilePermissions(shut, PosixFilePermissions.fromString("---------"));
    }
    TreeRemoval.remove(tree, () -> true);
    assertGone();
  }

  /** H1: a directory is swapped for a link, again and again, while the tree is removed. */
  @Test
  void whatIsSwappedForALinkMeanwhileLeadsNowhere() throws IOException, InterruptedException {
    for (int round = 0; round < 50; round++) {
      Path victim = Files.createDirectories(tree.resolve("victim"));
      for (int i = 0; i < 20; i++) {
        Files.createDirectories(victim.resolve("d" + i + "/e/f"));
      }
      Path link = Files.createSymbolicLink(folder.resolve("link"), outside);
      Thread swapper = new Thread(() -> swap(victim, link, folder.resolve("hidden")));
      swapper.start();
      TreeRemoval.remove(tree, () -> true);
      // The swapper has put something back at the last moment; what counts is what is outside.
      swapper.join();
      assertThat(outside.resolve("file")).hasContent("kept");
      remove("hidden");
      remove("link");
      remove("tree");
      Files.createDirectories(tree);
    }
  }

  @Test
  void aTurnThatEndsEarlyIsContinuedByTheNext() throws IOException {
    for (int i = 0; i < 10; i++) {
      Files.createFile(Files.createDirectory(tree.resolve("d" + i)).resolve("file"));
    }
    int turns = 1;
    int[] names = {0};
    while (TreeRemoval.remove(tree, () -> ++names[0] % 5 != 0) == Result.UNFINISHED) {
      turns++;
    }
    assertThat(turns).isGreaterThan(1);
    assertGone();
  }

  @Test
  void whatIsImmutableStaysAndTheRestGoes() throws IOException {
    Path stays = Files.createFile(Files.createDirectory(tree.resolve("d")).resolve("stays"));
    Path goes = Files.createFile(tree.resolve("goes"));
    int descriptor = LibC.open(stays.toString(), LibC.O_CLOEXEC);
    try {
      int[] immutable = {0x10, 0};
      // FS_IOC_SETFLAGS
      assumeTrue(
          LibC.ioctl(descriptor, 0x40086602L, immutable) == 0,
          "needs root and a file system with the flag that makes files immutable");
      assertThat(TreeRemoval.remove(tree, () -> true)).isEqualTo(Result.STUCK);
      assertThat(stays).exists();
      assertThat(goes).doesNotExist();
      LibC.ioctl(descriptor, 0x40086602L, new int[2]);
    } finally {
      LibC.close(descriptor);
    }
    assertThat(TreeRemoval.remove(tree, () -> true)).isEqualTo(Result.REMOVED);
    assertGone();
  }

  /** The kernel moves nothing of another project into a directory that hands its project down. */
  @Test
  void directoriesOfSeveralProjectsAreRemoved() throws Exception {
    try (LoopFileSystem xfs = LoopFileSystem.make(folder, "xfs", 320, "mkfs.xfs", "-q")) {
      tree = Files.createDirectory(xfs.path().resolve("tree"));
      Path inner = Files.createDirectories(tree.resolve("a/b/c/d"));
      Files.writeString(inner.resolve("file"), "x");
      int project = 77;
      for (Path one : List.of(tree, tree.resolve("a"), tree.resolve("a/b"))) {
        int descriptor = LibC.open(one.toString(), LibC.O_CLOEXEC);
        int[] extended = {LibC.FS_XFLAG_PROJINHERIT, 0, 0, project++, 0, 0, 0};
        assertThat(LibC.ioctl(descriptor, LibC.FS_IOC_FSSETXATTR, extended)).isZero();
        LibC.close(descriptor);
      }
      assertThat(TreeRemoval.remove(tree, () -> true)).isEqualTo(Result.REMOVED);
      assertGone();
    }
  }

  @Test
  void subvolumesAreRemovedAlsoThoseThatAreReadOnly() throws Exception {
    try (LoopFileSystem btrfs = LoopFileSystem.make(folder, "btrfs", 320, "mkfs.btrfs", "-q")) {
      tree = Files.createDirectory(btrfs.path().resolve("tree"));
      Files.createDirectories(tree.resolve("a/b"));
      Path outer = subvolume(tree.resolve("a/b/outer"));
      Path inner = subvolume(Files.createDirectories(outer.resolve("c/d")).resolve("inner"));
      Path innermost = subvolume(inner.resolve("innermost"));
      Files.writeString(Files.createDirectories(innermost.resolve("e/f")).resolve("file"), "x");
      subvolume(tree.resolve("empty"));
      for (Path one : List.of(innermost, inner, outer)) {
        run("btrfs", "property", "set", "-ts", one.toString(), "ro", "true");
      }
      assertThat(TreeRemoval.remove(tree, () -> true)).isEqualTo(Result.REMOVED);
      assertGone();
    }
  }

  private static Path subvolume(Path path) throws Exception {
    run("btrfs", "subvolume", "create", path.toString());
    return path;
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).start().waitFor())
        .as(String.join(" ", command))
        .isZero();
  }

  @Test
  void whatIsMountedInTheTreeStays() throws Exception {
    Path mounted = Files.createDirectories(tree.resolve("a/mounted"));
    assumeTrue(
        new ProcessBuilder("mount", "-t", "tmpfs", "errand", mounted.toString()).start().waitFor()
            == 0,
        "no tmpfs can be mounted");
    try {
      Files.writeString(mounted.resolve("file"), "kept");
      assertThat(TreeRemoval.remove(tree, () -> true)).isEqualTo(Result.STUCK);
      assertThat(mounted.resolve("file")).hasContent("kept");
    } finally {
      run("umount", mounted.toString());
    }
  }

  private static void swap(Path victim, Path link, Path hidden) {
    for (int i = 0; i < 20; i++) {
      try {
        Files.move(victim, hidden);
        Files.move(link, victim);
        Files.move(victim, link);
        Files.move(hidden, victim);
      } catch (IOException e) {
        return; // it is removed
      }
    }
  }

  private void remove(String name) throws IOException {
    TreeRemoval.remove(folder.resolve(name), () -> true);
  }

  private void assertGone() {
    assertThat(tree).doesNotExist();
    assertThat(Files.isSymbolicLink(tree)).isFalse();
    assertThat(outside.resolve("file")).hasContent("kept");
  }
}
