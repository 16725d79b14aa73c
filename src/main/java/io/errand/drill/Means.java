package io.errand.drill;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** What faults can be made of: the target, processes of servers, commands of the operator. */
final class Means {
  private static final int COMMAND_SECONDS = 120;
  private static final int MOST_SAID = 500;

  private final Target target;
  private final List<Long> pids;
  private final List<String> commands;
  private final Random random;

  Means(Target target, List<Long> pids, List<String> commands, Random random) {
    this.target = target;
    this.pids = new ArrayList<>(pids);
    this.commands = List.copyOf(commands);
    this.random = random;
  }

  Target target() {
    return target;
  }

  /** Whether there is what a fault needs. */
  boolean allow(Fault fault) {
    return switch (fault) {
      case FREEZE, DRAIN, KILL -> !pids.isEmpty();
      case COMMAND -> !commands.isEmpty();
      default -> true;
    };
  }

  /** The process of a server. */
  long pid() throws IOException {
    if (pids.isEmpty()) {
      throw new IOException("no process is left");
    }
    return pids.get(random.nextInt(pids.size()));
  }

  /** The same for a server that ends: its process is another one afterwards. */
  long takePid() throws IOException {
    Long pid = pid();
    pids.remove(pid);
    return pid;
  }

  /** Runs one of the commands to its end; how it ended. */
  String runCommand(long millis) throws IOException, InterruptedException {
    String command = commands.get(random.nextInt(commands.size()));
    ProcessBuilder builder = new ProcessBuilder("sh", "-c", command).redirectErrorStream(true);
    builder.environment().put("DRILL_MILLIS", Long.toString(millis));
    builder.environment().remove("ERRAND_TOKEN");
    builder.environment().remove("ERRAND_DATABASE_PASSWORD");
    Process process = builder.start();
    process.getOutputStream().close();
    Thread end = // for one that does not end by itself
        new Thread(
            () -> {
              try {
                if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
                  process.descendants().forEach(ProcessHandle::destroyForcibly);
                  process.destroyForcibly();
                }
              } catch (InterruptedException e) {
                process.destroyForcibly();
              }
            },
            "errand-drill-command");
    end.setDaemon(true);
    end.start();
    String said;
    try (InputStream out = process.getInputStream()) {
      said = new String(out.readNBytes(MOST_SAID), StandardCharsets.UTF_8).strip();
      out.transferTo(java.io.OutputStream.nullOutputStream());
    }
    int status = process.waitFor();
    if (status != 0) {
      throw new IOException("`" + command + "` has ended with status " + status + ": " + said);
    }
    return "`" + command + "`" + (said.isEmpty() ? "" : ": " + said);
  }
}
