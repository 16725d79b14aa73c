package io.errand.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * What must not grow (I10): threads, descriptors and memory of a server that is never struck
 * itself, and the tables, from which retention takes what is five minutes old.
 */
final class Vitals {
  private static final int LONG_RUN = 90; // samples, about ten minutes
  private static final int MOST_THREADS = 150;
  private static final int MOST_DESCRIPTORS = 500;

  /* Not what is remembered of jobs that have been removed, so that no id or key is given out again. */
  private static final String TABLE_BYTES =
      """
      SELECT sum(pg_total_relation_size(oid)) FROM pg_class
      WHERE relnamespace = 'errand'::regnamespace AND relkind = 'r'
        AND relname NOT IN ('removed_jobs', 'idempotency_keys')
      """;

  private record Sample(long threads, long descriptors, long residentKilobytes, long tableBytes) {}

  private final List<Sample> samples = new ArrayList<>();

  /** Takes a sample, and gives it as words. */
  String sample(Cluster cluster, Cluster.Node node) throws IOException, SQLException {
    Sample now =
        new Sample(
            node.server().count("task"),
            node.server().count("fd"),
            resident(node.server().pid()),
            cluster.number(TABLE_BYTES));
    samples.add(now);
    return "%d threads, %d descriptors, %d MB, tables %d MB"
        .formatted(now.threads, now.descriptors, now.residentKilobytes >> 10, now.tableBytes >> 20);
  }

  /**
   * In any run there are never more than a bound. In a long one, once everything has warmed up, the
   * least of the last third is hardly more than the least of the third before: what leaks shows in
   * the troughs, while the peaks are the load.
   */
  void assertFlat() {
    for (Sample sample : samples) {
      assertThat(sample.threads).as("I10: threads").isLessThan(MOST_THREADS);
      assertThat(sample.descriptors).as("I10: descriptors").isLessThan(MOST_DESCRIPTORS);
    }
    if (samples.size() >= LONG_RUN) {
      assertTroughsOf("threads", Sample::threads, 1.1);
      assertTroughsOf("descriptors", Sample::descriptors, 1.1);
      assertTroughsOf("memory", Sample::residentKilobytes, 1.15);
      assertTroughsOf("bytes of tables", Sample::tableBytes, 1.3);
    }
  }

  private void assertTroughsOf(String what, ToLongFunction<Sample> of, double growth) {
    int third = samples.size() / 3;
    long before = samples.subList(third, 2 * third).stream().mapToLong(of).min().orElseThrow();
    long last =
        samples.subList(2 * third, samples.size()).stream().mapToLong(of).min().orElseThrow();
    System.out.printf("faults: %s, least: %d and, later, %d%n", what, before, last);
    assertThat((double) last).as("I10: growth of " + what).isLessThan(before * growth);
  }

  private static long resident(long pid) throws IOException {
    return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElseThrow();
  }
}
