package io.errand.cli;

import io.errand.cli.profile.Summary;
import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code errand doctor --profile}: a recording of a running server. The launch script starts the
 * rest of {@code errand doctor} itself, with more on its class path.
 */
@Command(
    name = "doctor",
    description = {
      "Look at this host as a worker would, and at the settings of the database where there is one,"
          + " without a server. Nothing is changed.",
      "--profile records a running server instead, --support-bundle packs what a report needs."
    },
    footer = {
      "",
      "Exit status: 0 a worker can run here, or it is done; 1 it cannot; 2 usage; 69 no server; 74 what"
          + " was to be printed or written is not complete; 77 refused."
    })
final class Doctor implements Callable<Integer> {
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,6})(s|m)?");
  private static final int MOST_SECONDS = 300;

  /** For what the server does before and after it records. */
  private static final Duration BESIDE = Duration.ofSeconds(60);

  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern("'errand-'yyyyMMdd-HHmmss'.jfr'");

  @Option(
      names = "--profile",
      paramLabel = "TIME",
      description =
          "Record the server that answers for so long, such as 30s or 2m (at most 5m), keep the file"
              + " and print a summary. For administrators of the project default.")
  @Nullable String profile;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where the recording is kept (default: errand-TIME.jfr).")
  @Nullable Path out;

  @Option(
      names = "--summary",
      paramLabel = "FILE",
      description = "Print the summary of a recording that is there already.")
  @Nullable Path summary;

  /** Only for the help, as the next one. */
  @Option(
      names = "--support-bundle",
      paramLabel = "FILE",
      arity = "0..1",
      description =
          "Pack versions, settings without secrets, statistics of the database, plans of the frequent"
              + " statements, meters and recent lines of the log (default: errand-support-TIME.zip).")
  @Nullable Path bundle;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description = "With it: the log of the server, or - for standard input; its end is packed.")
  @Nullable Path log;

  @Override
  public Integer call() {
    if (summary != null) {
      System.out.print(read(summary));
      return ExitCodes.OK;
    }
    if (profile == null) {
      throw new ClientException(ExitCodes.USAGE, "doctor is the first word: errand doctor");
    }
    int seconds = seconds(profile);
    Path file = out != null ? out : Path.of(NAME.format(LocalDateTime.now()));
    record(seconds, file);
    System.out.print(read(file));
    EachJob.say("the recording is " + Visible.line(file.toString()));
    return ExitCodes.OK;
  }

  private static int seconds(String text) {
    Matcher given = DURATION.matcher(text);
    int seconds =
        given.matches()
            ? Integer.parseInt(given.group(1)) * ("m".equals(given.group(2)) ? 60 : 1)
            : 0;
    if (seconds < 1 || seconds > MOST_SECONDS) {
      throw new ClientException(
          ExitCodes.USAGE,
          "--profile: '" + Visible.line(text) + "' is no time of 1s to 5m, such as 30s");
    }
    return seconds;
  }

  /** Keeps nothing where the recording does not arrive whole. */
  private static void record(int seconds, Path file) {
    Http http = Http.connect();
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } catch (FileAlreadyExistsException e) {
      throw new ClientException(
          ExitCodes.USAGE, Visible.line(file.toString()) + " is there already; name another --out");
    } catch (IOException e) {
      throw notWritten(file, e);
    }
    boolean isWhole = false;
    try (OutputStream target = Files.newOutputStream(file)) {
      EachJob.say("the server is recorded for " + seconds + " s");
      http.copy(
          "/v1/profile",
          Map.of("seconds", seconds),
          Duration.ofSeconds(seconds).plus(BESIDE),
          target);
      isWhole = true;
    } catch (IOException e) {
      throw notWritten(file, e);
    } finally {
      if (!isWhole) {
        file.toFile().delete();
      }
    }
  }

  private static ClientException notWritten(Path file, IOException fault) {
    return new ClientException(
        ExitCodes.INCOMPLETE,
        Visible.line(file.toString()) + " cannot be written: " + FaultText.of(fault));
  }

  private static String read(Path file) {
    try {
      return Summary.of(file);
    } catch (IOException e) {
      throw new ClientException(
          ExitCodes.FAILED, Visible.line(file.toString()) + " cannot be read: " + FaultText.of(e));
    }
  }
}
