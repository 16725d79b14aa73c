package io.errand.exec;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;

/**
 * Tells the processes of sandboxes by what is mounted for them. A sandbox has a process namespace
 * of its own, and in it the private directory of its command is mounted at its own path, which has
 * the command's cookie as its last name. No process in a sandbox can change that: none has a
 * capability, nor can it get one. The environment, the session and the parent it can change, those
 * of the sandbox's first process too.
 */
final class SandboxMounts {
  private static final int MOUNT_POINT = 4; // of the fields of a line, see proc_pid_mountinfo(5)
  private static final int OWN_DEPTH = ProcFs.namespaceDepth(LibC.getpid());

  private final Predicate<String> points;

  private SandboxMounts(Predicate<String> points) {
    this.points = points;
  }

  /** The sandbox of the command with this cookie, which is nobody else's. */
  static SandboxMounts of(String cookie) {
    String end = '/' + cookie;
    return new SandboxMounts(point -> point.endsWith(end));
  }

  /** Those of all commands whose private directories are here. */
  static SandboxMounts below(Path temporaryRoot) {
    Path real;
    try {
      real = temporaryRoot.toRealPath();
    } catch (IOException e) {
      real = temporaryRoot; // there is none yet
    }
    String start = new String(bytes(real + "/"), StandardCharsets.ISO_8859_1);
    return new SandboxMounts(
        point -> point.startsWith(start) && point.indexOf('/', start.length()) < 0);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Whether a process is in one of them. Nothing that is read here can be made to wait. */
  boolean has(int pid) {
    // No sandbox is run as root: what root mounts may show in namespaces of others.
    if (ProcFs.namespaceDepth(pid) <= OWN_DEPTH || Accounts.isRoot() && ProcFs.realUid(pid) == 0) {
      return false;
    }
    try (BufferedReader mounts =
        Files.newBufferedReader(
            ProcFs.shared(pid).resolve("mountinfo"), StandardCharsets.ISO_8859_1)) {
      for (String line = mounts.readLine(); line != null; line = mounts.readLine()) {
        String[] fields = line.split(" ", MOUNT_POINT + 2);
        if (fields.length > MOUNT_POINT && points.test(unescaped(fields[MOUNT_POINT]))) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      return false; // it went away meanwhile
    }
  }

  /** The kernel writes blanks and what else would break a line as a backslash and three digits. */
  private static String unescaped(String point) {
    int at = point.indexOf('\\');
    if (at < 0) {
      return point;
    }
    StringBuilder text = new StringBuilder(point.substring(0, at));
    while (at < point.length()) {
      if (point.charAt(at) == '\\' && at + 4 <= point.length()) {
        text.append((char) Integer.parseInt(point.substring(at + 1, at + 4), 8));
        at += 4;
      } else {
        text.append(point.charAt(at++));
      }
    }
    return text.toString();
  }
}
