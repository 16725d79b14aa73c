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
record SandboxCommandLine(Path home, Path temporaryRoot) {
  /** The descriptor on which bubblewrap finds its filter of system calls. */
  static final int FILTER_DESCRIPTOR = 3;

  /** The first of those on which it finds the writable paths, in their order. */
  static final int WRITABLE_DESCRIPTOR = 4;

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
    Bubblewrap.load();
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
    return Bubblewrap.bindsDescriptors() || isFixed(path)
        ? null
        : "sandbox.writable names what others than root can replace, which this worker's bwrap"
            + " cannot keep apart (it knows no --bind-fd): "
            + writable;
  }

  /** Whether only root can put something else at a path. */
  private static boolean isFixed(Path path) {
    try {
      for (Path at = path; at.getParent() != null; at = at.getParent()) {
        int mode = (Integer) Files.getAttribute(at.getParent(), "unix:mode");
        boolean shared = (mode & 0022) != 0;
        boolean sticky = (mode & 01000) != 0;
        if (owner(at.getParent()) != 0 || shared && !(sticky && owner(at) == 0)) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static int owner(Path path) throws IOException {
    return (Integer) Files.getAttribute(path, "unix:uid");
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
   * command's own directory inside that. It is to be run as the account of the command, never as
   * root: commands of that account can swap what stands at the paths in it.
   *
   * @param account what it is run as, or null for this process's own
   */
  List<String> of(Sandbox sandbox, @Nullable Account account, Path directory, Path temporary) {
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
    if (!sandbox.network()) {
      line.add("--unshare-net");
    }
    line.addAll(List.of(sandbox.readOnly() ? "--ro-bind" : "--bind", "/", "/"));
    int descriptor = WRITABLE_DESCRIPTOR;
    for (String path : sandbox.writable()) {
      line.addAll(
          Bubblewrap.bindsDescriptors()
              ? List.of("--bind-fd", Integer.toString(descriptor), path)
              : List.of("--bind", path, path));
      descriptor++;
    }
    line.addAll(List.of("--dev", "/dev", "--proc", "/proc"));
    for (String file : KERNEL_FILES) {
      if (Files.exists(Path.of(file))) {
        line.addAll(List.of("--ro-bind", file, file));
      }
    }
    addHidden(line, account, sandbox.network(), temporary);
    line.addAll(List.of("--chdir", directory.toString(), "--"));
    return line;
  }

  private void addHidden(
      List<String> line, @Nullable Account account, boolean network, Path temporary) {
    Path own = real(temporary);
    Set<Path> covered = covered(account);
    for (Path hidden : covered) {
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
      if (covered.stream().anyMatch(root -> folder.startsWith(root) && !folder.equals(root))) {
        line.addAll(List.of("--perms", "0711", "--dir", folder.toString()));
      }
    }
    line.addAll(List.of("--bind", own.toString(), own.toString()));
  }

  /**
   * What is covered so that nothing hidden shows: the hidden directory, or the first above it that
   * the account may not pass, as what it cannot reach it cannot cover.
   */
  private Set<Path> covered(@Nullable Account account) {
    List<List<String>> ways = new ArrayList<>();
    for (Path folder : hidden()) {
      List<String> way = new ArrayList<>();
      for (Path step = folder; step.getParent() != null; step = step.getParent()) {
        way.add(0, step.toString());
      }
      ways.add(way);
    }
    List<String> covered = new ArrayList<>();
    try (FileAccess access = FileAccess.as(account)) { // no class is loaded in here
      for (List<String> way : ways) {
        int depth = 0;
        while (depth < way.size() - 1 && access.look(way.get(depth)) == Kind.DIRECTORY) {
          depth++;
        }
        covered.add(way.get(depth));
      }
    }
    Set<Path> paths = new LinkedHashSet<>();
    covered.forEach(path -> paths.add(Path.of(path)));
    return paths;
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path;
    }
  }
}
