package io.errand.cli;

import io.errand.cli.JobOutput.Selection;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Prints what several jobs print, each line behind the end of its job's id: followed at the same
 * time, each on a thread of its own, or else one job after the other.
 */
final class LogsOfMany {
  private static final int PREFIX = 8;
  private static final int[] COLORS = {36, 33, 32, 35, 34};

  private final Http http;
  private final List<String> ids;
  private final Selection selection;
  private final Logs logs;
  private final AtomicInteger exitCode = new AtomicInteger(ExitCodes.OK);

  LogsOfMany(Http http, List<String> ids, Selection selection, Logs logs) {
    this.http = http;
    this.ids = ids;
    this.selection = selection;
    this.logs = logs;
  }

  /** The exit status: 0 if all of all jobs was printed. */
  int print() {
    if (!logs.follow) {
      for (int i = 0; i < ids.size(); i++) {
        printOne(i);
      }
      return exitCode.get();
    }
    try (Detach detach = new Detach(http, ids)) {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < ids.size(); i++) {
        int index = i;
        Thread thread = new Thread(() -> follow(index, detach), "errand-logs-" + i);
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
      }
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCodes.FAILED;
    }
    return exitCode.get();
  }

  private void follow(int index, Detach detach) {
    try {
      printOne(index);
    } catch (ClientException e) { // nobody reads any of them
      detach.sayNow();
      System.exit(e.exitCode());
    }
  }

  private void printOne(int index) {
    String id = ids.get(index);
    PrintStream out = new PrefixedLines(prefix(index), System.out).stream();
    PrintStream err = new PrefixedLines(prefix(index), System.err).stream();
    JobOutput output = new JobOutput(http, id, selection, out, err);
    try {
      if (logs.follow) {
        logs.follow(id, output);
      } else {
        logs.printNow(http, id, output);
      }
    } catch (ClientException e) {
      if (e.isOfOutput()) {
        throw e;
      }
      EachJob.say(EachJob.about(id, e));
      exitCode.compareAndSet(ExitCodes.OK, e.endsAll() ? e.exitCode() : ExitCodes.FAILED);
    }
    out.close();
    err.close();
    int status = output.reportMissing(ExitCodes.OK);
    exitCode.compareAndSet(ExitCodes.OK, status);
  }

  private String prefix(int index) {
    String id = ids.get(index);
    String end = id.substring(id.length() - PREFIX);
    return Terminal.isColored()
        ? "\033[" + COLORS[index % COLORS.length] + "m" + end + " |\033[0m "
        : end + " | ";
  }
}
