package io.errand.profile;

import io.errand.exec.OwnChildren;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/** What the kernel counts of this process, once a second while it is recorded. */
@Name(ProcessSample.NAME)
@Label("Process")
@Category("Errand")
@Description("Descriptors, threads and children of the server")
@Enabled(false)
@Period("1 s")
@StackTrace(false)
final class ProcessSample extends Event {
  static final String NAME = "errand.Process";

  private static final int MOST_COUNTED = 100_000;

  @Label("Open Descriptors")
  int descriptors;

  @Label("Threads")
  int threads;

  @Label("Children That Run")
  int children;

  @Label("Zombies")
  int zombies;

  /**
   * Takes one. Called by a thread of the recorder; reads files of {@code /proc} that never wait.
   */
  static void take() {
    ProcessSample sample = new ProcessSample();
    if (sample.shouldCommit()) {
      OwnChildren own = OwnChildren.now();
      sample.children = own.running();
      sample.zombies = own.zombies();
      sample.descriptors = entries("fd");
      sample.threads = entries("task");
      sample.commit();
    }
  }

  private static int entries(String folder) {
    int count = 0;
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(Path.of("/proc/self").resolve(folder))) {
      for (Path entry : entries) {
        count += entry == null ? 0 : 1;
        if (count == MOST_COUNTED) {
          break;
        }
      }
    } catch (IOException | RuntimeException e) {
      return count; // such as none, where no descriptor is left
    }
    return count;
  }
}
