package io.errand.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The rules for Prometheus, by Prometheus' own tool. */
class AlertRulesTest {
  private static final String TESTS = "tests/errand-alerts-test.yaml";

  @Test
  void prometheusTakesTheRules() {
    assertThat(Promtool.run("check", "config", "prometheus.yaml")).contains("16 rules found");
    for (String rules : Promtool.RULES) {
      assertThat(Promtool.run("check", "rules", rules)).contains("SUCCESS");
    }
  }

  @Test
  void eachAlertFiresAndClears() {
    String tests = Promtool.text(TESTS);
    assertThat(Promtool.alerts()).hasSize(16);
    for (String alert : Promtool.alerts()) {
      int begin = tests.indexOf("  - name: " + alert + "\n");
      assertThat(begin).as(alert).isPositive();
      int next = tests.indexOf("  - name: ", begin + 1);
      String test = tests.substring(begin, next < 0 ? tests.length() : next);
      assertThat(test.split("eval_time: ")).as(alert + " fires, and clears").hasSize(3);
      assertThat(test.split("exp_samples:")).as(alert + " fires once").hasSize(2);
    }
    assertThat(Promtool.run("test", "rules", TESTS)).contains("SUCCESS");
  }

  @Test
  void eachAlertHasARunbookThatNamesIt() throws IOException {
    Matcher runbook =
        Pattern.compile("alert: (\\w+)\n(?: {8}.*\n)*? {10}runbook: (docs/runbooks/[a-z-]+\\.md)")
            .matcher(Promtool.text("errand-alerts.yaml"));
    int found = 0;
    while (runbook.find()) {
      found++;
      assertThat(Files.readString(Path.of(runbook.group(2))))
          .contains("`" + runbook.group(1) + "`")
          .contains("## What it means", "## How to see it", "## What to do");
    }
    assertThat(found).isEqualTo(Promtool.alerts().size());
  }

  @Test
  void hastenedRulesHaveTheSameExpressions() {
    String alerts = Promtool.hastened("errand-alerts.yaml");
    assertThat(alerts).contains("[10s]", "for: 15s", "[360s], 86400", "interval: 1s");
    assertThat(Promtool.hastened("errand-records.yaml"))
        .contains("errand:ready_late:ratio_6h\n", "errand:ready_late:bool[360s]", "rate5m\n");
    assertThat(alerts.replaceAll("\\d+[smh]", ""))
        .isEqualTo(Promtool.text("errand-alerts.yaml").replaceAll("\\d+[smh]", ""));
  }
}
