package io.errand.exec;

import io.errand.exec.FileAccess.Kind;
import io.errand.job.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The command line of the sandbox, bubblewrap.
 *
 * @param home the server's own directory
 * @param temporaryRoot where the private directories of all commands are
 */
record SandboxLine(Path home, Path temporaryRoot) {
  /** The descriptor on which bubblewrap finds its filter of system calls. */
  static final int FILTER_DESCRIPTOR = 3;

  /** Of the kernel, and writable by its uid 0 without any capability. */
  private static final List<String> KERNEL_FILES =
      List.of(
          "/proc/sys",
          "/proc/irq",
          "/proc/bus",
          "/proc/fs",
          "/proc/scsi",
          "/proc/acpi",
          "/proc/sysrq-trigger");

  /** Where services of the host have their sockets and what they know. */
  private static final List<String> SERVICES = List.of("/run", "/var/run");

  private static final Path RESOLVER = Path.of("/etc/resolv.conf");

  /** Makes the filters of system calls; where they cannot be made there is no sandbox. */
  void prepare() throws IOException {
    SystemCallFilter.write(filter(true), true);
    SystemCallFilter.write(filter(false), false);
  }

  /** The file of the filter. */
  Path filter(boolean network) {
    return home.resolve(network ? "sandbox-with-network.bpf" : "sandbox.bpf");
  }

  /**
   * Why a path cannot be writable in a sandbox, or null if it can.
   *
   * @param account what the command runs as, which is told of no path that it cannot see
   */
  @Nullable String refusalOf(String writable, @Nullable Account account) {
    Path path = Path.of(writable).normalize();
    Kind kind;
    try (FileAccess access = FileAccess.as(account)) {
      kind = access.look(path.toString());
    }
    if (kind == Kind.MISSING) {
      return "sandbox.writable names what is not there: " + writable;
    }
    if (kind == Kind.UNREACHABLE) {
      return "sandbox.writable names what the account of the command cannot reach: " + writable;
    }
    try {
      // Whoever can change a link on the way chooses where it leads.
      if (!path.toRealPath().equals(path)) {
        return "sandbox.writable leads over a symbolic link, name where it leads to: " + writable;
      }
    } catch (IOException e) {
      return "sandbox.writable names what cannot be reached: " + writable;
    }
    for (Path hidden : hidden()) {
      if (path.startsWith(hidden)) {
        return "sandbox.writable names what a sandbox does not show: " + writable;
      }
    }
    return null;
  }

  /** Directories that no sandbox shows, by their real paths. */
  private Set<Path> hidden() {
    Set<Path> hidden = new LinkedHashSet<>();
    for (String folder : SERVICES) {
      addReal(Path.of(folder), hidden);
    }
    addReal(home, hidden);
    addReal(temporaryRoot, hidden);
    return hidden;
  }

  private static void addReal(Path folder, Set<Path> to) {
    try {
      if (Files.isDirectory(folder)) {
        to.add(folder.toRealPath());
      }
    } catch (IOException e) {
      to.add(folder);
    }
  }

  /**
   * The order matters: what is writable first, then what hides directories over it, then the
   * command's own directory inside that. Capabilities stay only where the account is to be changed
   * behind this, and what changes it drops them.
   *
   * @param changesUser whether this process is root, and setpriv follows
   */
  List<String> of(Sandbox sandbox, boolean changesUser, Path directory, Path temporary) {
    List<String> line = new ArrayList<>();
    line.addAll(
        List.of(
            HostTools.find().require("bwrap"),
            "--die-with-parent",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
            "--seccomp",
            Integer.toString(FILTER_DESCRIPTOR),
            "--cap-drop",
            "ALL"));
    if (changesUser) {
      // The last is to enter the directory of that account before it is that account.
      for (String capability :
          List.of("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_DAC_READ_SEARCH")) {
        line.addAll(List.of("--cap-add", capability));
      }
    }
    if (!sandbox.network()) {
      line.add("--unshare-net");
    }
    line.addAll(List.of(sandbox.readOnly() ? "--ro-bind" : "--bind", "/", "/"));
    for (String path : sandbox.writable()) {
      line.addAll(List.of("--bind", path, path));
    }
    line.addAll(List.of("--dev", "/dev", "--proc", "/proc"));
    for (String file : KERNEL_FILES) {
      if (Files.exists(Path.of(file))) {
        line.addAll(List.of("--ro-bind", file, file));
      }
    }
    addHidden(line, sandbox.network(), temporary);
    line.addAll(List.of("--chdir", directory.toString(), "--"));
    return line;
  }

  private void addHidden(List<String> line, boolean network, Path temporary) {
    Path own = real(temporary);
    for (Path hidden : hidden()) {
      line.addAll(List.of("--perms", "0711", "--tmpfs", hidden.toString()));
    }
    Path resolver = real(RESOLVER);
    if (network && !resolver.equals(RESOLVER) && Files.isRegularFile(resolver)) {
      line.addAll(List.of("--ro-bind", resolver.toString(), resolver.toString()));
    }
    List<Path> above = new ArrayList<>();
    for (Path folder = own.getParent(); folder != null; folder = folder.getParent()) {
      above.add(0, folder);
    }
    for (Path folder : above) {
      if (hidden().stream().anyMatch(root -> folder.startsWith(root) && !folder.equals(root))) {
        line.addAll(List.of("--perms", "0711", "--dir", folder.toString()));
      }
    }
    line.addAll(List.of("--bind", own.toString(), own.toString()));
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path;
    }
  }
}
