package io.errand.meters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The one list of meters. */
class MetricTest {
  @Test
  void theReferenceShowsThisTable() throws IOException {
    assertThat(Files.readString(Path.of("docs/reference/metrics.md")))
        .contains(MetricTable.markdown());
  }

  @Test
  void namesFollowPrometheus() {
    for (Metric metric : Metric.values()) {
      String name = metric.prometheusName();
      assertThat(name).matches("(errand|http)(_[a-z]+)+");
      assertThat(name.endsWith("_total")).as(name).isEqualTo(metric.type().equals("counter"));
      if (metric.type().matches("histogram|summary")) {
        assertThat(name).endsWith("_seconds");
      }
      assertThat(name).doesNotContain("milliseconds", "minutes", "percent", "kilobytes");
      assertThat(metric.labels()).doesNotContain("le", "job", "instance");
    }
    assertThat(Arrays.stream(Metric.values()).map(Metric::prometheusName).distinct())
        .hasSameSizeAs(Metric.values());
  }

  @Test
  void nobodyElseMakesMeters() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      List<Path> others =
          files
              .filter(file -> file.toString().endsWith(".java"))
              .filter(file -> !file.endsWith("meters/Metric.java"))
              .toList();
      assertThat(others).hasSizeGreaterThan(300);
      for (Path file : others) {
        assertThat(Files.readString(file))
            .as(file.toString())
            .doesNotContainPattern(
                "(Counter|Gauge|Timer|DistributionSummary|FunctionCounter)\\.builder\\(")
            .doesNotContainPattern("(registry|meters)\\.(counter|timer|gauge|summary)\\(");
      }
    }
  }

  @Test
  void aMeterTakesTheLabelsOfItsListOnly() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    assertThatThrownBy(() -> Metric.ATTEMPTS.counter(registry, "success"))
        .hasMessageContaining("[outcome, queue]");
    assertThatThrownBy(() -> Metric.SLOTS.counter(registry)).hasMessageContaining("is a gauge");
    assertThatThrownBy(() -> Metric.CLAIMS.timer(registry, "q")).hasMessageContaining("counter");
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void theFirstHundredQueuesHaveMetersOfTheirOwn() {
    QueueLabels labels = new QueueLabels();
    for (int i = 0; i < QueueLabels.MOST; i++) {
      assertThat(labels.of("q" + i)).isEqualTo("q" + i);
    }
    assertThat(labels.of("one-more")).isEqualTo(QueueLabels.OTHER);
    assertThat(labels.of("q7")).isEqualTo("q7");
  }
}
