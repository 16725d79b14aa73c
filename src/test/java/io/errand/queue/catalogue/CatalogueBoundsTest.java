package io.errand.queue.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the heap and the time are that named commands can take. */
@Timeout(120)
class CatalogueBoundsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<String> faults = new ArrayList<>();

  private void complain(String field, String message) {
    faults.add(field + " " + message);
  }

  private static ObjectNode definition(String argument, String pattern, int count, int maxLength) {
    ObjectNode definition = JSON.createObjectNode();
    definition.putArray("command").add("/bin/echo");
    ObjectNode parameters = definition.putObject("parameters");
    for (int i = 0; i < count; i++) {
      definition.withArray("command").add(argument.formatted(i));
      parameters
          .putObject("p" + i)
          .put("type", "string")
          .put("pattern", pattern)
          .put("max_length", maxLength);
    }
    return definition;
  }

  private NamedCommand stored(ObjectNode definition) {
    return Objects.requireNonNull(
        NamedCommand.readStored("it", 1, definition, this::complain), faults.toString());
  }

  private static ObjectNode values(int count, int characters) {
    ObjectNode values = JSON.createObjectNode();
    for (int i = 0; i < count; i++) {
      values.put("p" + i, "a".repeat(characters));
    }
    return values;
  }

  @Test
  void anArgumentThatIsTooLongIsNotBuilt() {
    NamedCommand command = stored(definition("{p%d}".repeat(1), "a*", 1, 4_096));
    ObjectNode large = definition("", "a*", 0, 4_096);
    large.withArray("command").add("{p0}".repeat(8_000));
    large.set("parameters", definition("{p%d}", "a*", 1, 4_096).get("parameters"));
    NamedCommand amplified = stored(large);
    List<String> argv =
        amplified.fill(values(1, 4_096), "parameters", FillBudget.ofJob(), this::complain);
    assertThat(argv).isEmpty();
    assertThat(faults)
        .containsExactly("parameters must make a command of at most 131072 bytes in all");
    faults.clear();
    assertThat(command.fill(values(1, 4_096), "parameters", FillBudget.ofJob(), this::complain))
        .hasSize(2);
    assertThat(faults).isEmpty();
  }

  @Test
  void whatIsCompiledIsKeptWithinABudget() {
    Programs programs = new Programs(10_000);
    for (int i = 0; i < 100; i++) {
      Pattern pattern = programs.get("a" + i + "\\pL{900}", Duration.ofSeconds(60));
      assertThat(pattern.programSize()).isGreaterThan(900);
      assertThat(programs.weight()).isLessThanOrEqualTo(10_000);
    }
    assertThat(programs.ifKept("a99\\pL{900}")).isNotNull();
    assertThat(programs.ifKept("a0\\pL{900}")).isNull();
  }

  @Test
  void definitionsThatAreLoadedCompileNothing() {
    NamedCommand command = stored(definition("{p%d}", "\\pL{991}\\pL{990}", 64, 4_096));
    assertThat(faults).isEmpty();
    LinearPattern pattern =
        Objects.requireNonNull(Objects.requireNonNull(command.parameters().get("p0")).pattern());
    assertThat(Programs.SHARED.ifKept(pattern.text())).isNull();
    assertThat(command.isQuick(values(1, 1))).as("it is not compiled yet").isFalse();
  }

  @Test
  void aPatternAndItsLengthTogetherAreBounded() {
    ObjectNode slow = definition("{p%d}", "(?:.*.*){230}", 4, 4_096);
    assertThat(NamedCommand.read("it", 1, slow, this::complain)).isNull();
    assertThat(faults).hasSize(1).allMatch(fault -> fault.contains("takes too long"));
    faults.clear();
    NamedCommand before = stored(slow);
    before.fill(values(4, 3_900), "parameters", FillBudget.ofJob(), this::complain);
    assertThat(faults).isNotEmpty().allMatch(fault -> fault.contains("takes too long"));
    faults.clear();
    assertThat(before.isQuick(values(4, 3_900))).isFalse();
    FillBudget batch = FillBudget.ofBatch();
    for (int i = 0; i < 1_000; i++) {
      before.fill(values(1, 3_900), "jobs[" + i + "]", batch, this::complain);
    }
    assertThat(faults).hasSizeBetween(900, 999);
  }

  @Test
  void aSmallPatternIsMatchedAtOnceWhenItIsCompiled() {
    NamedCommand small = stored(definition("{p%d}", "a+b?a*", 1, 255));
    assertThat(small.fill(values(1, 200), "parameters", FillBudget.ofJob(), this::complain))
        .hasSize(2);
    assertThat(small.isQuick(values(1, 200))).isTrue();
  }

  @Test
  void whatARequestCompilesIsCountedOnceForEachPattern() {
    FillBudget budget = FillBudget.ofJob();
    String tables = "\\pL\\PM".repeat(80);
    int taken = 0;
    while (taken < 100 && budget.take(new LinearPattern("(?i)[" + taken + tables + "]"), 1)) {
      taken++;
    }
    assertThat(taken).as("patterns that take milliseconds each").isBetween(5, 30);
    assertThat(new LinearPattern("(?i)[" + "\u1c89-\uffff".repeat(160) + "]").compileSteps())
        .as("a tenth of a second")
        .isGreaterThan(4_000_000);
    FillBudget batch = FillBudget.ofBatch();
    for (int i = 0; i < 10_000; i++) {
      assertThat(batch.take(new LinearPattern("(?i)[" + i % 2 + tables + "]"), 1)).isTrue();
    }
  }

  @Test
  void manyOptionalStepsNeedNoStackOfTheCaller() throws InterruptedException {
    List<Object> results = new ArrayList<>();
    Thread small =
        new Thread(
            null,
            () -> {
              for (String pattern : List.of(".{0,600}", "(?:a?){600}", "(?:a??){600}")) {
                ObjectNode one = definition("{p%d}", pattern, 1, 600);
                NamedCommand command = NamedCommand.read("it", 1, one, this::complain);
                results.add(
                    Objects.requireNonNull(command)
                        .fill(values(1, 500), "parameters", FillBudget.ofJob(), this::complain)
                        .size());
              }
            },
            "small-stack",
            160 << 10);
    small.start();
    small.join();
    assertThat(faults).isEmpty();
    assertThat(results).containsExactly(2, 2, 2);
  }
}
