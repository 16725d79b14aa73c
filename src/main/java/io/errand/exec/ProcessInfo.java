package io.errand.exec;

import org.jspecify.annotations.Nullable;

/**
 * A process of a running command, as {@code /proc} shows it.
 *
 * @param pid its id on the worker's host
 * @param parentPid of its parent
 * @param command its command line, or its name in brackets
 * @param state a letter of {@code proc(5)}: R, S, D, T, t, Z, X, I
 * @param threads how many it has
 * @param cpuSeconds user and system
 * @param memoryBytes resident
 * @param openFiles how many descriptors, null where that cannot be read in time or there are more
 *     than 10,000
 * @param waitChannel where in the kernel it sleeps, null where it does not or that cannot be read
 * @param elapsedSeconds since its start
 */
public record ProcessInfo(
    int pid,
    int parentPid,
    String command,
    String state,
    int threads,
    double cpuSeconds,
    long memoryBytes,
    @Nullable Integer openFiles,
    @Nullable String waitChannel,
    double elapsedSeconds) {
  /** The same with another command line. */
  ProcessInfo withCommand(String other) {
    return new ProcessInfo(
        pid,
        parentPid,
        other,
        state,
        threads,
        cpuSeconds,
        memoryBytes,
        openFiles,
        waitChannel,
        elapsedSeconds);
  }
}
