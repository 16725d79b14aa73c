package io.errand.cli;

import java.util.List;

/** What people type, for the help of each command. */
final class Examples {
  private static final String ID = "0199b2c4-0000-7000-8000-000000000001";

  private Examples() {}

  /** Those of a command, by its words behind {@code errand}. */
  static List<String> of(String words) {
    return switch (words) {
      case "run" ->
          List.of(
              "errand run -- make -C /srv/site all",
              "errand run -q media --timeout 600 -- convert in.png -resize 50% out.png",
              "errand run --cancel-on-interrupt -- ./long-job");
      case "submit" ->
          List.of(
              "id=$(errand submit --key resize-42 -- convert in.png -resize 50% out.png)",
              "errand submit --run-at 2027-01-01T00:00:00Z -l team=media -- ./yearly",
              "errand submit --validate-only --max-attempts 5 -- false");
      case "list" ->
          List.of(
              "errand list -s failed -n 50",
              "errand list -q media -l team=video -o jsonl | jq .exit_code",
              "errand list -s queued -o name | xargs errand cancel");
      case "get" -> List.of("errand get " + ID, "errand get -o json $(errand list -n 1 -o name)");
      case "wait" ->
          List.of(
              "errand wait $id && echo done",
              "errand wait --for running --timeout 30 $id",
              "errand wait -o jsonl $(cat ids)");
      case "logs" ->
          List.of(
              "errand logs -f $id",
              "errand logs -f --tail 20 $one $other     # each line with its job",
              "errand logs --stdout --since-byte 65536 $id");
      case "explain" -> List.of("errand explain $id", "errand explain -o json $id");
      case "events" -> List.of("errand events $id", "errand events -o jsonl $id");
      case "dependencies" -> List.of("errand dependencies $id");
      case "top" -> List.of("errand top", "errand top --once", "errand top -o jsonl $id");
      case "cancel" ->
          List.of(
              "errand cancel $id",
              "errand cancel --all --queue media --dry-run",
              "errand cancel --all --queue media --yes");
      case "retry" ->
          List.of(
              "errand retry $id",
              "errand retry --all --state failed --queue media",
              "errand retry --all --state failed --reason timeout --yes --no-wait");
      case "release" -> List.of("errand release $id", "errand release --all --state held");
      case "update" ->
          List.of(
              "errand update --priority 50 $id",
              "errand update --all --queue media --to-queue slow",
              "errand update --run-at now $id");
      case "delete" ->
          List.of(
              "errand delete $id",
              "errand delete --all --state succeeded --created-before 2026-01-01T00:00:00Z");
      case "operations" -> List.of("errand operations -s running", "errand operations $id");
      case "operations stop" -> List.of("errand operations stop $id");
      case "queues" -> List.of("errand queues -o wide", "errand queues pause media");
      case "queues get" -> List.of("errand queues get media -o json");
      case "queues pause" -> List.of("errand queues pause media");
      case "queues resume" -> List.of("errand queues resume media");
      case "queues update" ->
          List.of(
              "errand queues update media --max-running 4 --rate 2.5",
              "errand queues update media --default timeout_seconds=60",
              "errand queues update media --unset max_running");
      case "queues events" -> List.of("errand queues events media -n 20");
      case "schedules" -> List.of("errand schedules -o wide");
      case "schedules get" -> List.of("errand schedules get nightly -o json");
      case "schedules create" ->
          List.of(
              "errand schedules create --cron '0 3 * * *' --zone Europe/Berlin nightly -- ./backup",
              "errand schedules create --every 5m -q probes ping -- ./ping");
      case "schedules update" -> List.of("errand schedules update --cron '0 4 * * *' nightly");
      case "schedules delete" -> List.of("errand schedules delete nightly");
      case "schedules pause" -> List.of("errand schedules pause nightly");
      case "schedules resume" -> List.of("errand schedules resume nightly");
      case "schedules run" -> List.of("errand logs -f $(errand schedules run nightly)");
      case "schedules ticks" -> List.of("errand schedules ticks nightly -n 5");
      default -> ofOthers(words);
    };
  }

  private static List<String> ofOthers(String words) {
    return switch (words) {
      case "commands" ->
          List.of("errand commands", "errand run --named resize --parameter size=50");
      case "commands get" -> List.of("errand commands get resize --version 2");
      case "commands put" -> List.of("errand commands put resize resize.json");
      case "commands delete" -> List.of("errand commands delete resize");
      case "commands versions" -> List.of("errand commands versions resize");
      case "workers" -> List.of("errand workers -o wide");
      case "deliveries" -> List.of("errand deliveries -s failed", "errand deliveries $job");
      case "deliveries resend" -> List.of("errand deliveries resend $id");
      case "context" -> List.of("errand context", "errand --context production list");
      case "context list" -> List.of("errand context list -o wide");
      case "context use" -> List.of("errand context use production", "errand context use --none");
      case "context add" ->
          List.of(
              "errand context add production --url https://errand.example.org --token-file key",
              "errand context add local --home /var/lib/errand --use");
      case "context remove" -> List.of("errand context remove production");
      case "login" ->
          List.of(
              "errand login --issuer https://id.example.org/realms/main --client-id errand-cli");
      case "logout" -> List.of("errand logout");
      case "me" -> List.of("errand me -o wide");
      case "keys" -> List.of("errand keys -o wide");
      case "keys list" -> List.of("errand keys list -o jsonl");
      case "keys create" ->
          List.of(
              "errand keys create build-server --role submitter > key",
              "errand --project media keys create ann --role operator --expires-in 90d > key");
      case "keys rotate" -> List.of("errand keys rotate k3v9x2m4q7aa --grace 3600 > key");
      case "keys revoke" -> List.of("errand keys revoke k3v9x2m4q7aa");
      case "projects" -> List.of("errand projects");
      case "projects list" -> List.of("errand projects list -o name");
      case "projects get" -> List.of("errand projects get media");
      case "projects put" ->
          List.of("errand projects put media --max-waiting 100000 --free-commands false");
      case "projects delete" -> List.of("errand projects delete media");
      case "audit" ->
          List.of(
              "errand audit --since 2026-11-01T00:00:00Z -n 100",
              "errand audit --action 'DELETE /v1/keys/{id}' -o jsonl");
      case "audit list" -> List.of("errand audit list -n 100");
      case "audit verify" -> List.of("errand audit verify");
      case "serve" -> List.of("ERRAND_HTTP_PORT=0 errand serve", "errand serve --check");
      case "demo" -> List.of("errand demo", "errand demo --for 60");
      case "doctor" ->
          List.of(
              "errand doctor",
              "errand doctor --profile 30s",
              "errand doctor --support-bundle bundle.zip --log server.log");
      case "log-levels" -> List.of("errand log-levels", "errand log-levels -o json");
      case "log-levels set" -> List.of("errand log-levels set io.errand.worker debug");
      case "log-levels reset" -> List.of("errand log-levels reset io.errand.worker");
      case "drill" ->
          List.of(
              "errand drill mark --database $url --name staging",
              "errand drill --database $url --servers $a,$b --seed 7 --i-know-this-is-staging");
      case "migrate" -> List.of("ERRAND_DATABASE_USER=owner errand migrate");
      case "verify-history" -> List.of("errand verify-history --settled");
      case "completion" ->
          List.of(
              "source <(errand completion bash)",
              "source <(errand completion zsh)",
              "errand completion fish | source");
      case "version" -> List.of("errand version");
      case "help" -> List.of("errand help --all run", "errand help schedules create");
      default -> List.of();
    };
  }
}
