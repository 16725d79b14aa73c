package io.errand.exec;

import io.errand.job.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The writable paths of a sandbox, open while it is started: what stands at a path may be another
 * thing a moment later, and what is open stays what it is.
 */
final class WritablePaths implements AutoCloseable {
  private final List<Integer> descriptors = new ArrayList<>();
  private @Nullable String refusal;
  private int shortage;

  /**
   * Opens them with the rights of the account of the command.
   *
   * @param sandbox null for none
   */
  WritablePaths(@Nullable Sandbox sandbox, @Nullable Account account) {
    if (sandbox == null || sandbox.writable().isEmpty()) {
      return;
    }
    List<String> paths = sandbox.writable();
    try (FileAccess access = FileAccess.as(account)) {
      for (String path : paths) {
        int descriptor = access.hold(path);
        if (descriptor < 0) {
          break;
        }
        descriptors.add(descriptor);
      }
      shortage = access.shortage();
    }
    for (int i = 0; i < paths.size() && refusal == null; i++) {
      if (i == descriptors.size() || !leadsTo(descriptors.get(i), Path.of(paths.get(i)))) {
        refusal = "sandbox.writable names what has been replaced meanwhile: " + paths.get(i);
      }
    }
  }

  /** Whether no link was followed on the way there. */
  private static boolean leadsTo(int descriptor, Path path) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).equals(path);
    } catch (IOException e) {
      return false;
    }
  }

  /** One for each path, all from 128 on. */
  List<Integer> descriptors() {
    return descriptors;
  }

  /** Why they cannot be writable, or null. */
  @Nullable String refusal() {
    return refusal;
  }

  /** What this process is short of, or 0. */
  int shortage() {
    return shortage;
  }

  @Override
  public void close() {
    descriptors.forEach(LibC::close);
  }
}
