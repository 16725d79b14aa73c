package io.errand.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command that changes jobs: those with the given ids one by one, or all that match a filter. */
abstract class ChangeJobs implements Callable<Integer> {
  private static final int TRIES = 3;

  @Mixin Client.OutputOption output = new Client.OutputOption();
  @Mixin FilterOptions filter = new FilterOptions();

  @Option(names = "--all", description = "All that match the filter, which must be given too.")
  boolean all;

  @Parameters(arity = "0..*", paramLabel = "ID", description = "Jobs, without a filter.")
  List<String> ids = List.of();

  @Option(
      names = "--dry-run",
      description = "With a filter: only print how many jobs match; change nothing.")
  boolean dryRun;

  @Option(
      names = {"-y", "--yes"},
      description = "With a filter: do not ask.")
  boolean yes;

  @Option(
      names = "--expected-count",
      paramLabel = "N",
      description = "With a filter: change nothing unless so many jobs match.")
  @Nullable Integer expectedCount;

  @Option(
      names = "--no-wait",
      description = "With a filter: print the operation, and do not wait for its end.")
  boolean noWait;

  /** What is done, as in: cancel 12 jobs. */
  abstract String verb();

  /** Changes one job. */
  abstract Map<String, Object> change(Http http, String id);

  /** Sends the request of a bulk change. */
  Map<String, Object> send(Http http, Map<String, Object> body, @Nullable String key) {
    return http.json("POST", "/v1/jobs/" + verb(), body, key);
  }

  /** Refuses options that make no sense. */
  void check() {}

  @Override
  public Integer call() {
    check();
    Map<String, Object> wanted = filter.filter();
    if (!wanted.isEmpty()) {
      if (!ids.isEmpty()) {
        throw new ClientException(ExitCodes.USAGE, "give ids or a filter, not both");
      }
      return changeAll(Http.connect(), wanted);
    }
    if (all) {
      throw new ClientException(
          ExitCodes.USAGE,
          "--all goes with a filter, such as --queue NAME or --state STATE, and without ids");
    }
    if (ids.isEmpty()) {
      throw new ClientException(
          ExitCodes.USAGE, "give ids, or a filter such as --queue NAME or --state STATE");
    }
    if (dryRun || yes || noWait || expectedCount != null) {
      throw new ClientException(
          ExitCodes.USAGE, "--dry-run, --yes, --no-wait and --expected-count go with a filter");
    }
    Http http = Http.connect();
    EachJob jobs = new EachJob();
    jobs.ids = ids;
    jobs.output = output;
    return jobs.tryAll(id -> change(http, id));
  }

  private int changeAll(Http http, Map<String, Object> wanted) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("filter", wanted);
    if (expectedCount != null) {
      body.put("expected_count", expectedCount);
    }
    if (dryRun || !yes) {
      Map<String, Object> counted = count(http, body);
      if (dryRun) {
        Printer.print(
            output.format, List.of(counted), counted, "count", List.of("count"), List.of());
        return ExitCodes.OK;
      }
      if ("0".equals(String.valueOf(counted.get("count")))) {
        EachJob.say("no job matches");
        return ExitCodes.OK;
      }
      ask(counted);
      if (!Boolean.TRUE.equals(counted.get("more"))) {
        body.putIfAbsent("expected_count", counted.get("count"));
      }
    }
    Map<String, Object> operation = begin(http, body);
    if (noWait) {
      Operations.print(output.format, List.of(operation), operation);
      return ExitCodes.OK;
    }
    return Operations.await(http, operation, output.format);
  }

  private Map<String, Object> count(Http http, Map<String, Object> body) {
    Map<String, Object> asked = new LinkedHashMap<>(body);
    asked.put("dry_run", true);
    try {
      return send(http, asked, null);
    } catch (ClientException e) {
      throw OptionNames.ofBulk(e);
    }
  }

  /** The key makes it safe to ask again when no answer came. */
  private Map<String, Object> begin(Http http, Map<String, Object> body) {
    String key = UUID.randomUUID().toString();
    for (int i = 1; ; i++) {
      try {
        return send(http, body, key);
      } catch (ClientException e) {
        if (e.exitCode() != ExitCodes.UNAVAILABLE || i == TRIES) {
          throw OptionNames.ofBulk(e);
        }
      }
    }
  }

  private void ask(Map<String, Object> counted) {
    String jobs =
        (Boolean.TRUE.equals(counted.get("more")) ? "more than " : "")
            + counted.get("count")
            + ("1".equals(String.valueOf(counted.get("count"))) ? " job" : " jobs");
    if (!Terminal.canAsk()) {
      throw new ClientException(
          ExitCodes.USAGE, verb() + " " + jobs + "? Nothing was done; confirm with --yes");
    }
    System.err.print(verb() + " " + jobs + "? [y/N] ");
    System.err.flush();
    if (!Typed.line().strip().toLowerCase(Locale.ROOT).matches("y|yes")) {
      throw new ClientException(ExitCodes.FAILED, "nothing was done");
    }
  }

  /** {@code errand cancel}. */
  @Command(
      name = "cancel",
      description = "Cancel jobs, by id or by a filter; a running one ends with its whole tree.")
  static final class Cancel extends ChangeJobs {
    @Override
    String verb() {
      return "cancel";
    }

    @Override
    Map<String, Object> change(Http http, String id) {
      Map<String, Object> job = http.post("/v1/jobs/" + id + "/cancel");
      if ("running".equals(job.get("state"))) {
        EachJob.say(
            "job " + id + ": the cancel was accepted; the job ends when its processes have ended");
      }
      return job;
    }
  }

  /** {@code errand retry}. */
  @Command(
      name = "retry",
      description = "Submit finished jobs again, as new jobs, by id or by a filter.")
  static final class Retry extends ChangeJobs {
    @Override
    String verb() {
      return "retry";
    }

    @Override
    Map<String, Object> change(Http http, String id) {
      return http.post("/v1/jobs/" + id + "/retry");
    }
  }

  /** {@code errand release}. */
  @Command(name = "release", description = "Let held jobs go on, by id or by a filter.")
  static final class Release extends ChangeJobs {
    @Override
    String verb() {
      return "release";
    }

    @Override
    Map<String, Object> change(Http http, String id) {
      return http.post("/v1/jobs/" + id + "/release");
    }
  }

  /** {@code errand delete}. */
  @Command(
      name = "delete",
      description = "Remove finished jobs, by id or by a filter; prints them as they were.")
  static final class Delete extends ChangeJobs {
    @Override
    String verb() {
      return "delete";
    }

    @Override
    Map<String, Object> change(Http http, String id) {
      Map<String, Object> job = http.get("/v1/jobs/" + id);
      http.delete("/v1/jobs/" + id);
      return job;
    }
  }

  /** {@code errand update}. */
  @Command(
      name = "update",
      description = "Change jobs that wait (queued, retrying, held), by id or by a filter.")
  static final class Update extends ChangeJobs {
    @Option(
        names = "--priority",
        paramLabel = "N",
        description = "Their new priority, -100 to 100.")
    @Nullable Integer priority;

    @Option(names = "--to-queue", paramLabel = "NAME", description = "The queue that they move to.")
    @Nullable String toQueue;

    @Option(
        names = "--run-at",
        paramLabel = "TIME",
        description = "Not before this RFC 3339 time; now is at once.")
    @Nullable String runAt;

    @Override
    String verb() {
      return "update";
    }

    @Override
    void check() {
      if (priority == null && toQueue == null && runAt == null) {
        throw new ClientException(
            ExitCodes.USAGE, "give one of --priority, --to-queue and --run-at");
      }
    }

    private Map<String, Object> set() {
      Map<String, Object> set = new LinkedHashMap<>();
      if (priority != null) {
        set.put("priority", priority);
      }
      if (toQueue != null) {
        set.put("queue", toQueue);
      }
      if (runAt != null) {
        set.put("run_at", runAt.equals("now") ? null : runAt);
      }
      return set;
    }

    @Override
    Map<String, Object> change(Http http, String id) {
      try {
        return http.patch("/v1/jobs/" + id, set(), null);
      } catch (ClientException e) {
        throw OptionNames.ofBulk(e);
      }
    }

    @Override
    Map<String, Object> send(Http http, Map<String, Object> body, @Nullable String key) {
      Map<String, Object> whole = new LinkedHashMap<>(body);
      whole.put("set", set());
      return http.patch("/v1/jobs", whole, key);
    }
  }
}
