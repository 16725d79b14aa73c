package io.errand.exec;

import io.errand.exec.Spawner.Spawned;
import java.nio.file.Path;

/** What it means that the kernel refuses a start: whose fault it is, and whether it may pass. */
final class SpawnErrors {
  private SpawnErrors() {}

  /**
   * No process.
   *
   * @param error of the kernel
   * @param program what was to be run
   */
  static Spawned refused(int error, Path program) {
    return switch (error) {
      case LibC.EAGAIN, LibC.EMFILE, LibC.ENFILE, LibC.ENOMEM, LibC.ENOSPC ->
          new Spawned.Refused(
              EndCause.NO_RESOURCES, "the worker cannot start a process: " + LibC.strerror(error));
      case LibC.EINTR ->
          new Spawned.Refused(
              EndCause.NO_RESOURCES, "the start of a process was interrupted", true);
      case LibC.ETXTBSY ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE,
              "cannot run " + program + ": it is open for writing (text file busy)",
              true);
      case LibC.ESTALE ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE, "cannot run " + program + ": " + LibC.strerror(error), true);
      case LibC.ENOEXEC ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE,
              "cannot run " + program + ": neither a program nor a script that begins with #!");
      case LibC.ENOENT ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE, "cannot run " + program + ": " + Executables.NO_INTERPRETER);
      case LibC.E2BIG ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE,
              "cannot run " + program + ": arguments and environment are too long for the kernel");
      default ->
          new Spawned.Refused(
              EndCause.NOT_STARTABLE, "cannot run " + program + ": " + LibC.strerror(error));
    };
  }
}
