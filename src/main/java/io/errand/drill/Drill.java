package io.errand.drill;

import io.errand.store.DatabaseCheck;
import io.errand.store.drill.StagingMark;
import io.errand.store.history.HistoryCheck.Violation;
import io.errand.text.CommandUse;
import io.errand.text.FaultText;
import io.errand.text.Printed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code errand drill}: injures a staging system under a load of its own, and checks it. */
@Command(
    name = "errand drill",
    mixinStandardHelpOptions = true,
    subcommands = {Mark.Set.class, Mark.Unset.class},
    synopsisSubcommandLabel = "[mark | unmark]",
    description = {
      "Injure a staging system under a load of jobs in the queue drill, wait until it has recovered, and"
          + " check that every promise was kept.",
      "The database must be marked as staging, by its owner and `errand drill mark`, and nobody else may"
          + " have submitted jobs within the last hour."
    },
    footer = {
      "",
      "The token is that of ERRAND_TOKEN: a key of an operator, or of an administrator with --clean. The"
          + " login of the database is ERRAND_DATABASE_USER and ERRAND_DATABASE_PASSWORD; it must own"
          + " the schema.",
      "Exit status: 0 every promise was kept, 1 one was broken, 2 usage, 69 no database, 74 the report"
          + " cannot be written, 77 refused: this may be no staging system."
    })
public final class Drill implements Callable<Integer> {
  private static final int BROKEN = 1;
  private static final int UNAVAILABLE = 69;
  private static final int INCOMPLETE = 74;
  private static final int REFUSED = 77;

  private static final List<Fault> USUAL =
      List.of(Fault.END_SESSIONS, Fault.LOCK_JOBS, Fault.OPEN_TRANSACTION);

  @Mixin private Login login = new Login();

  @Option(
      names = "--servers",
      paramLabel = "URL",
      split = ",",
      description = "The servers with an API, each by its own address.")
  private List<String> servers = List.of();

  @Option(
      names = "--i-know-this-is-staging",
      description = "Without this nothing is injured; what speaks against it is said.")
  private boolean isStaging;

  @Option(
      names = "--others-may-suffer",
      description = "Also where jobs of other queues were submitted within the last hour.")
  private boolean othersMaySuffer;

  @Option(
      names = "--faults",
      paramLabel = "NAME",
      split = ",",
      description =
          "end-sessions, lock-jobs, open-transaction (these three by default, with freeze if there is a"
              + " --pid, and command if there is a --strike), drain, kill.")
  private List<String> faults = List.of();

  @Option(
      names = "--pid",
      paramLabel = "PID",
      split = ",",
      description =
          "Processes of servers on this host that may be frozen, and ended if --faults says so.")
  private List<Long> pids = List.of();

  @Option(
      names = "--strike",
      paramLabel = "COMMAND",
      description = "A command for the shell that is a fault, such as 'kubectl delete pod ...'.")
  private List<String> commands = List.of();

  @Option(names = "--seed", paramLabel = "N", description = "The same seed is the same schedule.")
  private @Nullable Integer seed;

  @Option(names = "--rounds", paramLabel = "N", description = "How many faults (default: 10).")
  private int rounds = 10;

  @Option(
      names = "--most-seconds",
      paramLabel = "N",
      description = "How long a fault lasts at most (default: 10).")
  private int mostSeconds = 10;

  @Option(
      names = "--recovery-seconds",
      paramLabel = "N",
      description = "How long recovery may take after each (default: 120).")
  private int recoverySeconds = 120;

  @Option(
      names = "--rest-seconds",
      paramLabel = "N",
      description = "How long jobs may take to come to rest at the end (default: 300).")
  private int restSeconds = 300;

  @Option(names = "--rate", paramLabel = "N", description = "Jobs a second (default: 5).")
  private int rate = 5;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description =
          "Where the report goes: Markdown, or JSON if it ends in .json (default: standard output).")
  private @Nullable Path reportFile;

  @Option(
      names = "--clean",
      description = "Remove the jobs of drills afterwards; not where a promise was broken.")
  private boolean cleans;

  private Drill() {}

  /** Drills, reports and exits. */
  public static void main(String... arguments) {
    Printed.watch();
    CommandLine line = new CommandLine(new Drill());
    CommandUse.prepare(line);
    System.exit(Printed.exitCode(line.execute(arguments)));
  }

  @Override
  public Integer call() throws InterruptedException {
    String token = System.getenv("ERRAND_TOKEN");
    String complaint = complaintOfOptions(token);
    if (complaint != null) {
      System.err.println("errand: " + complaint);
      return CommandLine.ExitCode.USAGE;
    }
    Target target = login.target(servers, String.valueOf(token));
    int actualSeed = seed != null ? seed : new Random().nextInt(1_000_000);
    Random random = new Random(actualSeed);
    Means means = new Means(target, pids, commands, random);
    Rounds.Plan plan =
        new Rounds.Plan(
            chosen(means), rounds, mostSeconds * 1_000, 1_000, recoverySeconds, restSeconds);
    Report report = new Report();
    try (Connection connection = target.connect()) {
      List<String> complaints = Guards.complaints(target, connection, othersMaySuffer);
      if (!complaints.isEmpty() || !isStaging) {
        complaints.forEach(one -> System.err.println("errand: " + one));
        System.err.println(
            isStaging
                ? "errand: nothing was done"
                : "errand: nothing was done; --i-know-this-is-staging lets it begin");
        return REFUSED;
      }
      report.fact("database", StagingMark.database(connection));
      report.fact("servers", String.join(", ", servers));
      report.fact("seed", actualSeed);
      List<Violation> before = Checks.history(connection);
      report.fact("violations_before", before.size());
      drill(target, means, plan, report, before, random);
    } catch (SQLException e) {
      System.err.println(
          "errand: "
              + (DatabaseCheck.isWithoutSchema(e)
                  ? "this database has no Errand schema"
                  : "the database cannot be used: " + FaultText.of(e)));
      return UNAVAILABLE;
    }
    return conclude(target, report);
  }

  private void drill(
      Target target,
      Means means,
      Rounds.Plan plan,
      Report report,
      List<Violation> before,
      Random random)
      throws SQLException, InterruptedException {
    String run = "drill-" + Long.toString(System.currentTimeMillis(), 36);
    try (Load load = new Load(target, run, random.nextLong(), rate)) {
      Rounds drilled = new Rounds(means, load, report, random, plan);
      drilled.run();
      load.close();
      Violation restless = drilled.awaitRest();
      if (restless != null) {
        report.add(List.of(restless));
      }
      report.fact("run", run);
      report.fact("jobs_accepted", load.accepted().size());
      report.fact("requests_tried_again", load.refused());
      try (Connection connection = target.connect()) { // the first may have been struck
        report.add(Checks.violations(connection, load, before));
      } catch (IOException e) {
        report.add(
            List.of(
                new Violation("D3 the drill itself works", run, "no ledger: " + FaultText.of(e))));
      }
    }
  }

  private int conclude(Target target, Report report) {
    if (cleans && report.isGreen()) {
      try {
        report.fact("cleaned", target.clean());
      } catch (IOException e) {
        report.fact("cleaned", "no: " + FaultText.of(e));
      }
    }
    try {
      if (reportFile == null) {
        System.out.print(report.markdown());
      } else {
        Files.writeString(
            reportFile,
            reportFile.toString().endsWith(".json") ? report.json() : report.markdown());
      }
    } catch (IOException e) {
      System.err.println("errand: the report cannot be written: " + FaultText.of(e));
      System.out.print(report.markdown());
      return report.isGreen() ? INCOMPLETE : BROKEN;
    }
    System.err.println(
        report.isGreen()
            ? "errand: every promise was kept"
            : "errand: " + report.violations().size() + " violations");
    return report.isGreen() ? CommandLine.ExitCode.OK : BROKEN;
  }

  private List<Fault> chosen(Means means) {
    if (!faults.isEmpty()) {
      return faults.stream().map(Drill::fault).flatMap(Optional::stream).toList();
    }
    List<Fault> chosen = new ArrayList<>(USUAL);
    Stream.of(Fault.FREEZE, Fault.COMMAND).filter(means::allow).forEach(chosen::add);
    return chosen;
  }

  private static Optional<Fault> fault(String word) {
    return Stream.of(Fault.values()).filter(fault -> fault.word().equals(word)).findFirst();
  }

  private @Nullable String complaintOfOptions(@Nullable String token) {
    if (!login.isGiven()) {
      return "--database must name the database";
    }
    if (servers.isEmpty() || servers.stream().anyMatch(url -> !url.matches("https?://[^\\s]+"))) {
      return "--servers must name servers, such as http://10.0.0.1:8080,http://10.0.0.2:8080";
    }
    if (token == null || token.isBlank()) {
      return "ERRAND_TOKEN must be a key";
    }
    for (String word : faults) {
      Fault fault = fault(word).orElse(null);
      if (fault == null) {
        return "--faults: '" + word + "' is no fault; see errand drill --help";
      }
      if (!new Means(login.target(servers, token), pids, commands, new Random()).allow(fault)) {
        return "--faults: " + word + " needs " + (fault == Fault.COMMAND ? "--strike" : "--pid");
      }
    }
    for (long pid : pids) {
      if (!Fault.isServer(pid)) {
        return "--pid: process " + pid + " is no server of Errand on this host";
      }
    }
    return complaintOfNumbers();
  }

  private @Nullable String complaintOfNumbers() {
    String all =
        outside("--rounds", rounds, 1_000)
            + outside("--most-seconds", mostSeconds, 300)
            + outside("--recovery-seconds", recoverySeconds, 3_600)
            + outside("--rest-seconds", restSeconds, 3_600)
            + outside("--rate", rate, 100);
    return all.isEmpty() ? null : all.strip();
  }

  private static String outside(String option, int value, int most) {
    return value < 1 || value > most ? option + " must be 1 to " + most + ". " : "";
  }
}
