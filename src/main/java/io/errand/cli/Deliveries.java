package io.errand.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code errand deliveries}: whether the webhooks of finished jobs were told. */
@Command(
    name = "deliveries",
    description = "Show deliveries of webhooks, the newest first: all, or those of a job.",
    subcommands = Deliveries.Resend.class)
final class Deliveries implements Callable<Integer> {
  private static final int USUAL = 20;
  private static final List<String> COLUMNS =
      List.of("id", "job_id", "state", "tries", "last_status", "next_try_at", "url");
  private static final List<String> WIDE_COLUMNS =
      List.of("type", "last_error", "last_tried_at", "created_at", "finished_at", "secret_ref");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Option(
      names = {"-s", "--state"},
      paramLabel = "STATE",
      description = "Only in this state: pending, delivered, failed or disabled.")
  @Nullable String state;

  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      description = "At most so many deliveries, from 1 to 500 (20).")
  @Nullable Integer limit;

  @Parameters(arity = "0..1", paramLabel = "JOB", description = "Only of this job.")
  @Nullable String job;

  @Override
  public Integer call() {
    if (job != null) {
      if (state != null || limit != null) {
        throw new ClientException(
            ExitCodes.USAGE, "a job has one delivery: leave --state and --limit");
      }
      print(Http.connect().get("/v1/jobs/" + EachJob.id(job) + "/deliveries"));
      return ExitCodes.OK;
    }
    String path = "/v1/deliveries?page_size=" + (limit == null ? USUAL : limit);
    Map<String, Object> page;
    try {
      page = Http.connect().get(state == null ? path : path + "&state=" + Http.encode(state));
    } catch (ClientException e) {
      throw OptionNames.ofList(e);
    }
    print(page);
    if (limit == null && !"".equals(page.get("next_page_token")) && !output.format.saysMore()) {
      EachJob.say("there are more; narrow the list or raise --limit");
    }
    return ExitCodes.OK;
  }

  private void print(Map<String, Object> answer) {
    print(output, Client.list(answer, "deliveries"), answer);
  }

  private static void print(
      Client.OutputOption output, List<Map<String, Object>> deliveries, Object answer) {
    Printer.print(output.format, deliveries, answer, "id", COLUMNS, WIDE_COLUMNS);
  }

  /** {@code errand deliveries resend}. */
  @Command(name = "resend", description = "Send deliveries again, under the same webhook-id.")
  static final class Resend implements Callable<Integer> {
    @Mixin EachJob deliveries = new EachJob();

    @Override
    public Integer call() {
      Http http = Http.connect();
      return deliveries.tryAll(
          id -> http.post("/v1/deliveries/" + id + "/resend"),
          (all, answer) -> print(deliveries.output, all, answer));
    }
  }
}
