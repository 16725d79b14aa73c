package io.errand.meters;

/** The list of meters, for people. */
public final class MetricTable {
  private MetricTable() {}

  /** The table of docs/reference/metrics.md. */
  public static String markdown() {
    StringBuilder table = new StringBuilder("| meter | type | of | meaning |\n|---|---|---|---|\n");
    for (Metric metric : Metric.values()) {
      String labels =
          metric.labels().isEmpty() ? "" : "{" + String.join(",", metric.labels()) + "}";
      table.append(
          String.format(
              "| `%s%s` | %s | %s | %s |%n",
              metric.prometheusName(), labels, metric.type(), metric.of(), metric.meaning()));
    }
    return table.toString();
  }
}
