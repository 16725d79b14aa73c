import io.errand.client.ErrandClient;
import io.errand.client.Job;
import io.errand.client.JobFilter;
import io.errand.client.JobRequest;
import io.errand.client.Output;
import io.errand.client.ProblemException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A program with nothing but the client on its class path. JavaClientIT compiles and runs it. */
public class UseOfClient {
  private static final Duration LONG = Duration.ofMinutes(3);

  private static void check(boolean holds, Object what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  /** What came of a stream, and where it can be gone on. */
  private static class Kept implements Output.Handler {
    final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    final List<Output.Position> positions = new ArrayList<>();
    long missing;

    @Override
    public void stdout(int attempt, long offset, byte[] bytes) {
      stdout.writeBytes(bytes);
    }

    @Override
    public void stderr(int attempt, long offset, byte[] bytes) {
      stderr.writeBytes(bytes);
    }

    @Override
    public void missing(int attempt, String stream, long from, long to) {
      missing += to - from;
    }

    @Override
    public void reached(Output.Position position) {
      positions.add(position);
    }
  }

  public static void main(String[] arguments) throws Exception {
    ErrandClient errand = ErrandClient.connect(arguments[0], arguments[1]);

    // One key is one job.
    JobRequest request =
        JobRequest.command("sh", "-c", "echo out; echo err >&2; exit 3")
            .maxAttempts(1)
            .label("of", "client");
    Job job = errand.submit(request, "a \"key\"");
    check(errand.submit(request, "a \"key\"").id().equals(job.id()), "one key, two jobs");
    job = errand.await(job.id(), LONG);
    check(job.state().equals("failed") && job.exitCode().getAsInt() == 3, job);
    check(job.stdout().equals("out\n") && job.stderr().equals("err\n"), job);
    check(job.reason().get().equals("exit_code"), job);

    // A refusal names the field.
    try {
      errand.submit(JobRequest.command("true").priority(1_000));
      throw new AssertionError("not refused");
    } catch (ProblemException refused) {
      check(refused.status() == 400, refused);
      check(refused.errors().get(0).field().equals("priority"), refused.errors());
    }
    try {
      errand.submit(JobRequest.command("false"), "a \"key\"");
      throw new AssertionError("not refused");
    } catch (ProblemException refused) {
      check(refused.status() == 422, refused);
    }

    // Another try is another job; its key keeps it one.
    String again = errand.retry(job.id(), "again").id();
    check(errand.retry(job.id(), "again").id().equals(again), "two jobs of one retry");
    errand.await(again, LONG);

    // Pages of one job each, until there are no more.
    List<String> listed = new ArrayList<>();
    errand.forEach(
        JobFilter.all().label("of", "client").pageSize(1), one -> listed.add(one.id()));
    check(listed.equals(List.of(again, job.id())), listed);

    // Output while it is printed, byte for byte, and again from a place in it.
    Job printing =
        errand.submit(JobRequest.command("sh", "-c", "printf 'a\\377'; sleep 0.2; printf 'héllo'"));
    Kept all = new Kept();
    Output.End end = errand.output(printing.id(), Output.Position.START, all);
    byte[] expected = new byte[] {'a', (byte) 0xff, 'h', (byte) 0xc3, (byte) 0xa9, 'l', 'l', 'o'};
    check(java.util.Arrays.equals(all.stdout.toByteArray(), expected), all.stdout);
    check(end.isComplete() && end.job().hasSucceeded(), end);
    Kept rest = new Kept();
    errand.output(printing.id(), new Output.Position(1, 3, 0), rest);
    byte[] behind = java.util.Arrays.copyOfRange(expected, 3, expected.length);
    check(java.util.Arrays.equals(rest.stdout.toByteArray(), behind), rest.stdout);
    check(all.positions.get(all.positions.size() - 1).stdoutBytes() == 8, all.positions);

    // What the server has dropped is told, and counted.
    Job large = errand.submit(JobRequest.command("seq", "100000").outputLimit(1_000));
    large = errand.await(large.id(), LONG);
    Kept part = new Kept();
    Output.End incomplete = errand.output(large.id(), Output.Position.START, part);
    check(incomplete.missingBytes() == large.stdoutDroppedBytes(), incomplete);
    check(part.missing == incomplete.missingBytes() && part.missing > 500_000, part.missing);
    check(part.stdout.toString(StandardCharsets.UTF_8).endsWith("\n100000\n"), part.stdout);

    // A wait ends when its time is up, and a cancel ends the job.
    Job sleeping = errand.submit(JobRequest.command("sleep", "600").stdin("").env("X", "y"));
    check(!errand.await(sleeping.id(), Duration.ofMillis(100)).isFinal(), "it sleeps");
    errand.cancel(sleeping.id());
    check(errand.await(sleeping.id(), LONG).state().equals("cancelled"), sleeping);

    try {
      errand.get("../queues");
      throw new AssertionError("not refused");
    } catch (IllegalArgumentException refused) {
      System.out.println("all holds");
    }
  }
}
