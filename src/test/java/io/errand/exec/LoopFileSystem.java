package io.errand.exec;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A file system in a file, mounted until it is closed; the test is skipped where that fails. */
record LoopFileSystem(Path path) implements AutoCloseable {
  /**
   * Makes and mounts one.
   *
   * @param mebibytes of the file, which has holes
   * @param maker the program that makes it, and its options
   */
  static LoopFileSystem make(Path folder, String type, int mebibytes, String... maker)
      throws IOException, InterruptedException {
    assumeTrue(Accounts.isRoot(), "only root can mount a file system");
    Path image = folder.resolve("image");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength((long) mebibytes << 20);
    }
    List<String> command = new ArrayList<>(List.of(maker));
    command.add(image.toString());
    assumeTrue(run(command) == 0, "no " + type + " can be made: there is no " + maker[0]);
    Path path = Files.createDirectory(folder.resolve("mounted"));
    int mounted =
        run(List.of("mount", "-t", type, "-o", "loop", image.toString(), path.toString()));
    assumeTrue(mounted == 0, "no " + type + " can be mounted from a file");
    return new LoopFileSystem(path);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    run(List.of("umount", path.toString()));
  }

  private static int run(List<String> command) throws InterruptedException {
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    } catch (IOException e) {
      return -1; // there is no such program
    }
  }
}
