package io.errand.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The verbs of the client, in the order of its help. */
final class Verbs {
  /**
   * Verbs that belong together.
   *
   * @param title above them in the help
   * @param names of the verbs
   * @param isBrief whether the help shows the names only
   */
  record Group(String title, List<String> names, boolean isBrief) {}

  static final List<Group> GROUPS =
      List.of(
          new Group(
              "Jobs",
              List.of(
                  "run",
                  "submit",
                  "list",
                  "get",
                  "wait",
                  "logs",
                  "explain",
                  "events",
                  "dependencies",
                  "top"),
              false),
          new Group(
              "Changes",
              List.of("cancel", "retry", "release", "update", "delete", "operations"),
              false),
          new Group(
              "Things", List.of("queues", "schedules", "commands", "workers", "deliveries"), true),
          new Group(
              "Access",
              List.of(
                  "context", "login", "logout", "me", "keys", "projects", "audit", "log-levels"),
              true),
          new Group(
              "Server",
              List.of("serve", "demo", "doctor", "migrate", "verify-history", "drill"),
              true),
          new Group("Client", List.of("completion", "version"), true));

  static final List<String> NAMES =
      java.util.stream.Stream.concat(
              GROUPS.stream().flatMap(group -> group.names().stream()),
              java.util.stream.Stream.of("help", "complete"))
          .toList();

  private Verbs() {}

  /** A command of that name, or null: made when it is asked for. */
  static @Nullable Object command(String name) {
    return switch (name) {
      case "run" -> new Run();
      case "submit" -> new Client.Submit();
      case "list" -> new ListJobs();
      case "get" -> new Client.Get();
      case "wait" -> new Wait();
      case "logs" -> new Logs();
      case "explain" -> new Explain();
      case "events" -> new Events();
      case "dependencies" -> new Dependencies();
      case "top" -> new Top();
      case "cancel" -> new ChangeJobs.Cancel();
      case "retry" -> new ChangeJobs.Retry();
      case "release" -> new ChangeJobs.Release();
      case "update" -> new ChangeJobs.Update();
      case "delete" -> new ChangeJobs.Delete();
      case "operations" -> new Operations();
      case "queues" -> new Queues();
      case "schedules" -> new Schedules();
      case "commands" -> new Commands();
      case "workers" -> new Client.Workers();
      case "deliveries" -> new Deliveries();
      case "context" -> new ContextCommand();
      case "login" -> new Login();
      case "logout" -> new Login.Out();
      case "me" -> new Me();
      case "keys" -> new Keys();
      case "projects" -> new Projects();
      case "audit" -> new Audit();
      case "serve" -> new Client.Serve();
      case "demo" -> new Demo();
      case "doctor" -> new Doctor();
      case "log-levels" -> new LogLevels();
      case "migrate" -> new Client.Migrate();
      case "verify-history" -> new Client.VerifyHistory();
      case "completion" -> new Completion();
      case "complete" -> new Complete();
      case "drill" -> new Client.Drill();
      case "version" -> new Client.Version();
      case "help" -> new HelpText.Help();
      default -> null;
    };
  }
}
