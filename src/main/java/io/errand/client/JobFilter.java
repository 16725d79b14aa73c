package io.errand.client;

import java.util.LinkedHashMap;
import java.util.Map;

/** Which jobs are listed: those that match all of it. Each method gives another filter. */
public final class JobFilter {
  private final Map<String, String> parameters;

  private JobFilter(Map<String, String> parameters) {
    this.parameters = parameters;
  }

  /** All jobs that the caller may see. */
  public static JobFilter all() {
    return new JobFilter(Map.of());
  }

  /** In this state. */
  public JobFilter state(String state) {
    return with("state", state);
  }

  /** In this queue. */
  public JobFilter queue(String queue) {
    return with("queue", queue);
  }

  /** With this label; the last one counts. */
  public JobFilter label(String name, String value) {
    return with("label", name + ":" + value);
  }

  /** How many jobs a page has: 1 to 500, 50 without it. */
  public JobFilter pageSize(int size) {
    return with("page_size", Integer.toString(size));
  }

  /** Any parameter of the list by its name in the API. */
  public JobFilter with(String parameter, String value) {
    Map<String, String> all = new LinkedHashMap<>(parameters);
    all.put(parameter, value);
    return new JobFilter(all);
  }

  /** The query of the request, with its question mark; empty where nothing is asked for. */
  String query() {
    StringBuilder query = new StringBuilder();
    parameters.forEach(
        (name, value) ->
            query
                .append(query.length() == 0 ? '?' : '&')
                .append(name)
                .append('=')
                .append(ApiConnection.encode(value)));
    return query.toString();
  }
}
