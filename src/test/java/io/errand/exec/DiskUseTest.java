package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskUseTest {
  private static final int MEBIBYTE = 1 << 20;
  private static final long NO_LIMIT = Long.MAX_VALUE;

  @TempDir Path folder;
  private Path tree;

  /** What was found. */
  private record Found(long bytes, long files, @Nullable String excess) {}

  @BeforeEach
  void begin() throws IOException {
    tree = Files.createDirectory(folder.resolve("tree"));
  }

  @Test
  void anEmptyDirectoryAndOneThatIsNotThereHoldNothing() {
    assertThat(measure(NO_LIMIT, NO_LIMIT)).isEqualTo(new Found(0, 0, null));
    assertThat(measure(tree.resolve("none"), NO_LIMIT, NO_LIMIT)).isEqualTo(new Found(0, 0, null));
  }

  @Test
  void whatIsAllocatedCountsAndHolesDoNot() throws IOException {
    fill(tree.resolve("full"), MEBIBYTE);
    try (RandomAccessFile hole = new RandomAccessFile(tree.resolve("hole").toFile(), "rw")) {
      hole.setLength(1L << 30);
    }
    Found found = measure(NO_LIMIT, NO_LIMIT);
    assertThat(found.bytes()).isBetween((long) MEBIBYTE, MEBIBYTE * 5L / 4);
    assertThat(found.files()).isEqualTo(2);
  }

  @Test
  void aFileWithManyNamesCountsOnceAndEachNameIsAFile() throws IOException {
    Path first = tree.resolve("first");
    fill(first, MEBIBYTE);
    Path inner = Files.createDirectory(tree.resolve("inner"));
    for (int i = 0; i < 50; i++) {
      Files.createLink(inner.resolve("name" + i), first);
    }
    Found found = measure(NO_LIMIT, NO_LIMIT);
    assertThat(found.bytes()).isBetween(MEBIBYTE - 51L, MEBIBYTE * 5L / 4);
    assertThat(found.files()).isEqualTo(52);
  }

  @Test
  void linksLeadNowhere() throws IOException {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    fill(outside.resolve("large"), MEBIBYTE);
    Files.createSymbolicLink(tree.resolve("directory"), outside);
    Files.createSymbolicLink(tree.resolve("file"), outside.resolve("large"));
    Files.createSymbolicLink(tree.resolve("round"), tree);
    Found found = measure(NO_LIMIT, NO_LIMIT);
    assertThat(found.bytes()).isLessThan(MEBIBYTE / 4);
    assertThat(found.files()).isEqualTo(3);
    Path link = Files.createSymbolicLink(folder.resolve("link"), outside);
    assertThat(measure(link, NO_LIMIT, NO_LIMIT).files()).isZero();
  }

  @Test
  void whatIsMountedInTheTreeIsNotEntered() throws Exception {
    Path mounted = Files.createDirectory(tree.resolve("mounted"));
    assumeTrue(
        run("mount", "-t", "tmpfs", "errand", mounted.toString()) == 0,
        "needs root that may mount file systems");
    try {
      fill(mounted.resolve("large"), MEBIBYTE);
      assertThat(measure(NO_LIMIT, NO_LIMIT)).isEqualTo(new Found(0, 0, null));
    } finally {
      run("umount", mounted.toString());
    }
  }

  @Test
  void aPipeBlocksNothing() throws Exception {
    assertThat(run("mkfifo", tree.resolve("pipe").toString())).isZero();
    assertThat(measure(NO_LIMIT, NO_LIMIT).files()).isEqualTo(1);
  }

  @Test
  void theCountEndsAsSoonAsALimitIsPassed() throws IOException {
    for (int i = 0; i < 1_000; i++) {
      fill(tree.resolve("file" + i), 5_000);
    }
    Found files = measure(NO_LIMIT, 10);
    assertThat(files.files()).isEqualTo(11);
    assertThat(files.excess()).contains("at least 11 files", "limits.disk_files is 10");
    assertThat(measure(NO_LIMIT, 1_000).excess()).isNull();
    Found bytes = measure(20_000, NO_LIMIT);
    assertThat(bytes.bytes()).isBetween(20_001L, 100_000L);
    assertThat(bytes.excess()).contains("bytes, and limits.disk_bytes is 20000");
  }

  @Test
  void aTreeIsCountedInSteps() throws IOException {
    for (int i = 0; i < 20; i++) {
      Files.createFile(Files.createDirectory(tree.resolve("d" + i)).resolve("file"));
    }
    try (DiskUse use = new DiskUse(tree, NO_LIMIT, NO_LIMIT)) {
      int steps = 1;
      int[] names = {0};
      while (!use.step(() -> ++names[0] % 5 != 0)) {
        steps++;
      }
      assertThat(steps).isGreaterThan(5);
      assertThat(use.files()).isEqualTo(40);
    }
  }

  @Test
  void aTreeOfTheLargestDepthIsCountedAndADeeperOneIsTooMuch() throws Exception {
    nest(DiskUse.MOST_DEPTH - 1);
    Found found = measure(NO_LIMIT, NO_LIMIT);
    assertThat(found.files()).isEqualTo(DiskUse.MOST_DEPTH - 1);
    assertThat(found.excess()).isNull();
    nest(DiskUse.MOST_DEPTH);
    assertThat(measure(NO_LIMIT, NO_LIMIT).excess()).contains("100 directories deep");
  }

  @Test
  void descriptorsAreGivenBack() throws Exception {
    nest(50);
    long before = descriptors();
    for (int i = 0; i < 20; i++) {
      measure(NO_LIMIT, 40);
    }
    assertThat(descriptors()).isLessThan(before + 40);
  }

  @Test
  void shutDirectoriesAreReadByRootAndPassedOverByOthers() throws IOException {
    Path shut = Files.createDirectory(tree.resolve("shut"));
    fill(shut.resolve("large"), MEBIBYTE);
    Files.setPosixFilePermissions(shut, PosixFilePermissions.fromString("---------"));
    boolean isReadable = shut.toFile().list() != null;
    assertThat(measure(NO_LIMIT, NO_LIMIT).files()).isEqualTo(isReadable ? 2 : 1);
    Files.setPosixFilePermissions(shut, PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void aRemovedFileThatIsStillOpenIsAddedOnce() throws IOException {
    Path file = tree.resolve("removed");
    fill(file, MEBIBYTE);
    try (FileChannel one = FileChannel.open(file, StandardOpenOption.READ);
        FileChannel two = FileChannel.open(file, StandardOpenOption.READ);
        DiskUse use = new DiskUse(tree, NO_LIMIT, NO_LIMIT)) {
      assertThat(one.size()).isEqualTo(two.size());
      int own = LibC.getpid();
      use.addRemoved(List.of(own));
      long before = use.bytes();
      Files.delete(file);
      try (DiskUse after = new DiskUse(tree, NO_LIMIT, NO_LIMIT)) {
        after.addRemoved(List.of(own, own));
        assertThat(after.bytes() - before).isBetween((long) MEBIBYTE, MEBIBYTE * 5L / 4);
      }
    }
  }

  @Test
  void aRemovedFileInTheTableOfOneThreadIsAdded() throws IOException {
    Process holder = holder(2);
    try {
      assertThat(removedBytesOf(holder)).isBetween(2L * MEBIBYTE, MEBIBYTE * 9L / 4);
    } finally {
      holder.destroyForcibly();
    }
  }

  @Test
  void noThreadOfManyIsOutOfSight() throws IOException {
    Process holder = holder(10_000); // or as many as this host allows
    try {
      await().until(() -> removedBytesOf(holder) >= 2L * MEBIBYTE);
    } finally {
      holder.destroyForcibly();
    }
  }

  private Process holder(int threads) throws IOException {
    String program = NativeProgram.of("owntable", folder);
    Process holder =
        new ProcessBuilder(program, tree.resolve("held").toString(), Integer.toString(threads))
            .start();
    assertThat(holder.getInputStream().read()).isEqualTo('r');
    return holder;
  }

  private long removedBytesOf(Process holder) {
    try (DiskUse use = new DiskUse(tree, NO_LIMIT, NO_LIMIT)) {
      use.addRemoved(List.of((int) holder.pid()));
      return use.bytes();
    }
  }

  private Found measure(long mostBytes, long mostFiles) {
    return measure(tree, mostBytes, mostFiles);
  }

  private static Found measure(Path directory, long mostBytes, long mostFiles) {
    try (DiskUse use = new DiskUse(directory, mostBytes, mostFiles)) {
      assertThat(use.step(() -> true)).isTrue();
      return new Found(use.bytes(), use.files(), use.excess());
    }
  }

  /** One directory in another, so many. */
  private void nest(int depth) throws Exception {
    run("rm", "-rf", tree.resolve("d").toString());
    Files.createDirectories(tree.resolve("d/".repeat(depth)));
  }

  private static long descriptors() {
    String[] names = Path.of("/proc/self/fd").toFile().list();
    return names == null ? 0 : names.length;
  }

  private static void fill(Path file, int bytes) throws IOException {
    Files.write(file, new byte[bytes]);
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).start().waitFor();
  }
}
