package io.errand.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code errand me}: who the server takes the caller for. */
@Command(
    name = "me",
    aliases = "whoami",
    description = "Show who you are to the server, and what you may do there.")
final class Me implements Callable<Integer> {
  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Override
  public Integer call() {
    Map<String, Object> me = Http.connect().get("/v1/me");
    Printer.print(
        output.format,
        List.of(me),
        me,
        "name",
        List.of("name", "kind", "role", "project", "expires_at"),
        List.of("principal", "key_id"));
    return ExitCodes.OK;
  }
}
