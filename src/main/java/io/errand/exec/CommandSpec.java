package io.errand.exec;

import io.errand.job.Confinement;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What to run.
 *
 * @param cookie a word without white space that marks every process of this command: it is put into
 *     the environment as {@value #COOKIE_VARIABLE}
 * @param argv at least one string; the first is looked up in the {@code PATH} of {@code
 *     environment} unless it holds a slash
 * @param environment all of it: nothing is inherited
 * @param stdin what it reads, empty for an immediate end-of-file
 * @param workingDirectory where it starts, or null for a private temporary directory
 * @param timeout after which it is ended
 * @param killGrace between SIGTERM and SIGKILL at the timeout
 * @param stdoutLimit how many bytes of stdout are kept
 * @param stderrLimit how many bytes of stderr are kept
 * @param confinement what {@link HostAbilities#refusalOf} does not refuse
 * @param mask hides the secrets that {@code environment} and {@code stdin} hold, or null if they
 *     hold none
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record CommandSpec(
    String cookie,
    List<String> argv,
    Map<String, String> environment,
    byte[] stdin,
    @Nullable Path workingDirectory,
    Duration timeout,
    Duration killGrace,
    int stdoutLimit,
    int stderrLimit,
    Confinement confinement,
    @Nullable OutputMask mask) {
  /** The variable that marks the processes of a command. */
  public static final String COOKIE_VARIABLE = "ERRAND_CLAIM_TOKEN";

  /** One whose output is shown as it is. */
  public CommandSpec(
      String cookie,
      List<String> argv,
      Map<String, String> environment,
      byte[] stdin,
      @Nullable Path workingDirectory,
      Duration timeout,
      Duration killGrace,
      int stdoutLimit,
      int stderrLimit,
      Confinement confinement) {
    this(
        cookie,
        argv,
        environment,
        stdin,
        workingDirectory,
        timeout,
        killGrace,
        stdoutLimit,
        stderrLimit,
        confinement,
        null);
  }

  /** The same without its environment and what it reads: they may be large or secret. */
  CommandSpec withoutInputs() {
    return with(Map.of(), new byte[0]);
  }

  /** The same with another environment. */
  CommandSpec withEnvironment(Map<String, String> other) {
    return with(other, stdin);
  }

  private CommandSpec with(Map<String, String> otherEnvironment, byte[] otherStdin) {
    return new CommandSpec(
        cookie,
        argv,
        otherEnvironment,
        otherStdin,
        workingDirectory,
        timeout,
        killGrace,
        stdoutLimit,
        stderrLimit,
        confinement,
        mask);
  }
}
