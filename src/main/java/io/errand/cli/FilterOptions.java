package io.errand.cli;

import io.errand.client.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which jobs a command is for that changes all that match. */
final class FilterOptions {
  @Option(
      names = {"-s", "--state"},
      paramLabel = "STATE",
      description = "Jobs in this state; may be repeated.")
  List<String> states = List.of();

  @Option(
      names = {"-q", "--queue"},
      paramLabel = "NAME",
      description = "Jobs of this queue.")
  @Nullable String queue;

  @Option(
      names = {"-l", "--label"},
      paramLabel = "NAME=VALUE",
      description = "Jobs with this label; may be repeated, all must match.")
  List<String> labels = List.of();

  @Option(
      names = "--reason",
      paramLabel = "REASON",
      description = "Jobs with this reason, such as exit_code; may be repeated.")
  List<String> reasons = List.of();

  @Option(
      names = "--id-prefix",
      paramLabel = "DIGITS",
      description = "Jobs whose id begins with these eight or more digits.")
  @Nullable String idPrefix;

  @Option(
      names = "--created-after",
      paramLabel = "TIME",
      description = "Jobs that were created after this RFC 3339 time.")
  @Nullable String createdAfter;

  @Option(
      names = "--created-before",
      paramLabel = "TIME",
      description = "Jobs that were created before this RFC 3339 time.")
  @Nullable String createdBefore;

  @Option(
      names = "--worker",
      paramLabel = "NAME",
      description = "Jobs whose latest attempt was on this worker.")
  @Nullable String worker;

  @Option(
      names = "--concurrency-key",
      paramLabel = "KEY",
      description = "Jobs with this concurrency key.")
  @Nullable String concurrencyKey;

  @Option(names = "--schedule", paramLabel = "NAME", description = "Jobs of this schedule.")
  @Nullable String schedule;

  @Option(
      names = "--principal",
      paramLabel = "NAME",
      description = "Jobs that this caller has submitted.")
  @Nullable String principal;

  @Option(
      names = "--filter",
      paramLabel = "JSON",
      description = "The whole filter as a JSON object, with the members of the API.")
  @Nullable String json;

  /** The filter, empty if no option was given. */
  Map<String, Object> filter() {
    Map<String, Object> filter = new LinkedHashMap<>();
    if (json != null) {
      try {
        filter.putAll(Json.object(json));
      } catch (IOException e) {
        throw new ClientException(ExitCodes.USAGE, "--filter is no JSON object");
      }
      if (filter.isEmpty()) {
        throw new ClientException(ExitCodes.USAGE, "--filter is empty, which would be every job");
      }
    }
    Map<String, Object> labelsByName = JobOptions.labels(labels);
    put(filter, "state", states.isEmpty() ? null : states);
    put(filter, "queue", queue);
    put(filter, "labels", labelsByName);
    put(filter, "reason", reasons.isEmpty() ? null : reasons);
    put(filter, "q", idPrefix);
    put(filter, "created_after", createdAfter);
    put(filter, "created_before", createdBefore);
    put(filter, "worker", worker);
    put(filter, "concurrency_key", concurrencyKey);
    put(filter, "schedule", schedule);
    put(filter, "principal", principal);
    return filter;
  }

  private static void put(Map<String, Object> filter, String name, @Nullable Object value) {
    if (value != null && filter.put(name, value) != null) {
      throw new ClientException(
          ExitCodes.USAGE, "--filter and another option both give the member " + name);
    }
  }
}
