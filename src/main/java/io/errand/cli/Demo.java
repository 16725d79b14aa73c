package io.errand.cli;

import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code errand demo}: a server that lives as long as this client, with jobs to look at. */
@Command(
    name = "demo",
    description = {
      "Start a server on a throw-away directory, with jobs that succeed, retry, fail, wait and"
          + " stream.",
      "At Ctrl-C, or after --for, the server is stopped and all that it stored is removed."
    })
final class Demo implements Callable<Integer> {
  private static final double MOST_SECONDS = 86_400;
  private static final int FEED_MILLIS = 1_500;

  @Option(
      names = "--for",
      paramLabel = "SECONDS",
      description = "End after this time, at most a day.")
  @Nullable Double seconds;

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "The port on loopback; 0 is a free one (${DEFAULT-VALUE}).",
      defaultValue = "0")
  int port;

  @Override
  public Integer call() {
    if (seconds != null && !(seconds >= 0 && seconds <= MOST_SECONDS)) {
      throw new ClientException(ExitCodes.USAGE, "--for is a number of seconds from 0 to 86400");
    }
    if (port < 0 || port > 65_535) {
      throw new ClientException(ExitCodes.USAGE, "--port is a number from 0 to 65535");
    }
    EachJob.say("starting a server; this takes some seconds");
    try (DemoServer server = DemoServer.start(port)) {
      Http http = server.await();
      DemoJobs jobs = new DemoJobs(http);
      jobs.begin();
      invite(server);
      long begin = System.nanoTime();
      while (server.isAlive() && !isOver(begin)) {
        TimeUnit.MILLISECONDS.sleep(FEED_MILLIS);
        feed(server, jobs);
      }
      if (server.isEnding()) { // at Ctrl-C; what ends it removes all of it
        return ExitCodes.INTERRUPTED;
      }
      if (!server.isAlive()) {
        throw new ClientException(
            ExitCodes.UNAVAILABLE, "the server has ended: " + server.lastWords());
      }
      EachJob.say("the time is over; the server is stopped, and all of it is removed");
    } catch (IOException e) {
      throw new ClientException(ExitCodes.FAILED, "the demo cannot start: " + FaultText.of(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCodes.INTERRUPTED;
    }
    return ExitCodes.OK;
  }

  private static void feed(DemoServer server, DemoJobs jobs) {
    try {
      jobs.feed();
    } catch (ClientException e) {
      if (server.isAlive() && !server.isEnding()) {
        EachJob.say("a job was not accepted: " + e.getMessage());
      }
    }
  }

  private boolean isOver(long begin) {
    return seconds != null
        && System.nanoTime() - begin > (long) (seconds * TimeUnit.SECONDS.toNanos(1));
  }

  private static void invite(DemoServer server) {
    String home = "ERRAND_HOME=" + server.home();
    Optional<String> link = server.signInLink();
    String text =
        """

        The server is at %s
        %s

        In another terminal:
          export %s
          errand top                                  # live; q ends
          errand list
          errand logs -f $(errand list -s running -l demo=stream -n 1 -o name)
          errand explain $(errand list -s queued -n 1 -o name)
          curl -H "Authorization: Bearer $(cat $ERRAND_HOME/token)" "$(cat $ERRAND_HOME/url)/v1/queues"

        Ctrl-C stops it and removes all of it.
        """
            .formatted(
                server.url(),
                link.isPresent()
                    ? "Open the console: " + link.get()
                    : "Sign in with the key in " + server.home().resolve("token"),
                home);
    System.out.println(Visible.lines(text).strip());
    System.out.flush();
  }
}
