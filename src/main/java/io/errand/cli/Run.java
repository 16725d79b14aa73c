package io.errand.cli;

import io.errand.cli.JobOutput.Selection;
import io.errand.text.Visible;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code errand run}: a command as if it ran here. */
@Command(
    name = "run",
    description = {
      "Submit a command, print what it prints, and exit as it does. It has one attempt by default,"
          + " unless --named runs one of the catalogue.",
      "From its first word on, everything belongs to the command, byte for byte. The word -- may"
          + " stand before it."
    },
    footer = {
      "",
      "Exit status: that of the command. 128+n if signal n ended it; 137 also stands for"
          + " out_of_memory, out_of_disk and cpu_seconds. 124: it reached its timeout. 125: the job"
          + " ended without an exit status of its command. 126 and 127: it could not be started."
          + " 74: it succeeded, but bytes of its output are missing; stderr says how many.",
      "Of each stream 1 MiB is kept unless --stdout-limit or --stderr-limit says less.",
      "If the reader of the output ends, or at Ctrl-C, the client ends with 141 or 130, and the job"
          + " goes on. With --cancel-on-interrupt, Ctrl-C cancels the job and the client waits for its"
          + " end."
    })
final class Run implements Callable<Integer> {
  /** The most that a server keeps of a stream. */
  private static final int OUTPUT_LIMIT = 1 << 20;

  @Mixin JobOptions options = new JobOptions();

  @Option(
      names = "--cancel-on-interrupt",
      description = "Ctrl-C cancels the job, and does not leave it to go on.")
  boolean cancelOnInterrupt;

  @Override
  public Integer call() {
    options.check();
    Http http = Http.connect();
    String id = String.valueOf(options.submit(http, 1, OUTPUT_LIMIT).get("id"));
    JobOutput output = new JobOutput(http, id, Selection.ALL);
    CancelOnInterrupt interrupt = cancelOnInterrupt ? CancelOnInterrupt.listen(http, id) : null;
    Map<String, Object> job;
    try (Detach detach = new Detach(http, List.of(id));
        NotStarted note = new NotStarted(http, id)) {
      try {
        job = output.follow();
      } catch (ClientException e) {
        if (e.isOfOutput()) {
          detach.sayNow();
        }
        throw e;
      }
    }
    if (!"succeeded".equals(job.get("state")) && job.get("exit_code") == null) {
      Object detail = job.get("detail");
      EachJob.say(
          Visible.line(
              "job "
                  + id
                  + " "
                  + job.get("state")
                  + ": "
                  + job.get("reason")
                  + (detail == null ? "" : " (" + detail + ")")));
    }
    boolean isInterrupted = interrupt != null && interrupt.isInterrupted();
    return output.reportMissing(isInterrupted ? ExitCodes.INTERRUPTED : ExitCodes.ofJob(job));
  }
}
