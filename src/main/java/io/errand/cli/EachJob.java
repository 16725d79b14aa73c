package io.errand.cli;

import io.errand.text.Visible;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** The jobs that a command is given: each is tried, also where others fail. */
final class EachJob {
  private static final Pattern ID =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");

  @Mixin Client.OutputOption output = new Client.OutputOption();

  @Parameters(arity = "1..*", paramLabel = "ID")
  List<String> ids = List.of();

  private boolean allSucceeded;

  /**
   * The id of a job.
   *
   * @throws ClientException for usage, if the text can be none
   */
  static String id(String text) {
    if (!isId(text)) {
      throw new ClientException(ExitCodes.USAGE, "'" + Visible.line(text) + "' is no job id");
    }
    return text;
  }

  static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  /**
   * Makes a call for each, tells each refusal in a line, and prints the results of the others; what
   * can be no id is refused here. After a refusal of the caller, or where no server answers, the
   * rest are named and not tried.
   *
   * @param call of an id, gives the job
   * @return the exit status: of the refusal where one id was given, 1 where one of several failed
   */
  int tryAll(Function<String, Map<String, Object>> call) {
    return tryAll(call, output::print);
  }

  /**
   * The same for what is no job.
   *
   * @param print prints the results as rows of a table, or what of them is JSON
   */
  int tryAll(
      Function<String, Map<String, Object>> call,
      BiConsumer<List<Map<String, Object>>, Object> print) {
    List<Map<String, Object>> jobs = new ArrayList<>();
    List<String> left = new ArrayList<>(new LinkedHashSet<>(ids));
    boolean one = left.size() == 1;
    int exitCode = ExitCodes.OK;
    while (!left.isEmpty()) {
      String id = left.remove(0);
      try {
        jobs.add(call.apply(id(id)));
      } catch (ClientException e) {
        if (e.isOfOutput()) {
          throw e;
        }
        say(one ? String.valueOf(e.getMessage()) : about(id, e));
        exitCode = one ? e.exitCode() : ExitCodes.FAILED;
        if (!one && e.endsAll()) {
          exitCode = e.exitCode();
          if (!left.isEmpty()) {
            say("not tried: " + Visible.line(String.join(" ", left)));
          }
          break;
        }
      }
    }
    if (!jobs.isEmpty() || !one) {
      print.accept(jobs, one ? jobs.get(0) : jobs);
    }
    boolean succeeded = jobs.stream().allMatch(job -> "succeeded".equals(job.get("state")));
    allSucceeded = succeeded && exitCode == ExitCodes.OK;
    return exitCode;
  }

  /** A refusal with the id that it is about. */
  static String about(String id, ClientException refusal) {
    String text = String.valueOf(refusal.getMessage());
    return isId(id) ? id + ": " + text : text; // which names what is no id
  }

  /** Whether every call gave a job that has succeeded. */
  boolean allSucceeded() {
    return allSucceeded;
  }

  static void say(String sentence) {
    System.err.println("errand: " + Visible.lines(sentence));
  }
}
