package io.errand.cli;

import io.errand.cli.JobOutput.Selection;
import io.errand.text.Visible;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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
          + " goes on."
    })
final class Run implements Callable<Integer> {
  /** The most that a server keeps of a stream. */
  private static final int OUTPUT_LIMIT = 1 << 20;

  @Mixin JobOptions options = new JobOptions();

  @Override
  public Integer call() {
    options.check();
    Http http = Http.connect();
    String id = String.valueOf(options.submit(http, 1, OUTPUT_LIMIT).get("id"));
    JobOutput output = new JobOutput(http, id, Selection.ALL);
    Map<String, Object> job;
    try (Detach detach = new Detach(http, id);
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
    return output.reportMissing(ExitCodes.ofJob(job));
  }
}
