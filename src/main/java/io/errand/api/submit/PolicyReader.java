package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.request.Fields;
import io.errand.job.Backoff;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.RetryPolicy;
import io.errand.job.RetryRule;
import io.errand.job.RetryRule.CodeRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what a job says about success, retries and the loss of a worker. */
final class PolicyReader {
  private static final int MOST_RULES = 100;
  private static final Pattern CODES = Pattern.compile("(\\d{1,3})(?:-(\\d{1,3}))?");

  private final Fields fields;

  /** Reads from the members of a job. */
  PolicyReader(Fields fields) {
    this.fields = fields;
  }

  /** The rules; they count only if no complaint was added. */
  RetryPolicy read() {
    String onLost = fields.word("on_lost", wireNames(OnLost.values()));
    return new RetryPolicy(
        fields.integer("max_attempts", 3, 1, 10_000),
        backoff(),
        rules(),
        successExitCodes(),
        onLost == null ? OnLost.RETRY : OnLost.valueOf(onLost.toUpperCase(Locale.ROOT)));
  }

  private Backoff backoff() {
    Fields backoff = fields.object("backoff");
    Backoff standard = Backoff.DEFAULT;
    if (backoff == null) {
      return standard;
    }
    backoff.only(Set.of("base_seconds", "factor", "max_seconds", "jitter"));
    double base =
        backoff.number("base_seconds", standard.baseSeconds(), 0, false, Backoff.MAX_SECONDS);
    double factor = backoff.number("factor", standard.factor(), 1, false, 100);
    double max =
        backoff.number(
            "max_seconds", Math.max(base, standard.maxSeconds()), base, false, Backoff.MAX_SECONDS);
    String jitter = backoff.word("jitter", wireNames(Backoff.Jitter.values()));
    return new Backoff(
        base,
        factor,
        max,
        jitter == null
            ? standard.jitter()
            : Backoff.Jitter.valueOf(jitter.toUpperCase(Locale.ROOT)));
  }

  private Set<Integer> successExitCodes() {
    Set<Integer> codes = new TreeSet<>();
    fields
        .list("success_exit_codes", 256)
        .forEach((where, value) -> codes.add(fields.integer(value, where, 0, 0, 255)));
    if (fields.get("success_exit_codes") != null && codes.isEmpty()) {
      fields.complain(fields.at("success_exit_codes"), "must name at least one exit code");
    }
    return codes.isEmpty() ? Set.of(0) : codes;
  }

  private List<RetryRule> rules() {
    List<RetryRule> rules = new ArrayList<>();
    fields
        .list("retry", MOST_RULES)
        .forEach(
            (where, value) -> {
              RetryRule rule = rule(fields.nested(value, where));
              if (rule != null) {
                rules.add(rule);
              }
            });
    return rules;
  }

  private @Nullable RetryRule rule(Fields rule) {
    rule.only(Set.of("when", "codes", "then"));
    for (String required : List.of("when", "then")) {
      if (rule.get(required) == null) {
        rule.complain(rule.at(required), "is required");
      }
    }
    String when =
        rule.word("when", RetryRule.OUTCOMES.stream().map(Outcome::wireName).sorted().toList());
    String then = rule.word("then", List.of("retry", "fail"));
    List<CodeRange> codes = new ArrayList<>();
    rule.list("codes", 256)
        .forEach(
            (where, value) -> {
              CodeRange range = codeRange(value);
              if (range == null) {
                rule.complain(where, "must be an exit code from 0 to 255, or a range as \"64-78\"");
              } else {
                codes.add(range);
              }
            });
    if (rule.get("codes") != null && codes.isEmpty()) {
      rule.complain(rule.at("codes"), "must name at least one exit code");
    }
    if (when == null || then == null) {
      return null;
    }
    if (rule.get("codes") != null && !when.equals(Outcome.EXIT_CODE.wireName())) {
      rule.complain(rule.at("codes"), "is allowed with exit_code only");
      return null;
    }
    return new RetryRule(Outcome.ofWireName(when), codes, then.equals("retry"));
  }

  private static @Nullable CodeRange codeRange(JsonNode value) {
    if (!value.isTextual() && !value.isIntegralNumber()) {
      return null;
    }
    Matcher matcher = CODES.matcher(value.asText());
    if (!matcher.matches()) {
      return null;
    }
    int first = Integer.parseInt(matcher.group(1));
    int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
    return last > 255 || first > last ? null : new CodeRange(first, last);
  }

  private static List<String> wireNames(Enum<?>[] values) {
    return Arrays.stream(values).map(value -> value.name().toLowerCase(Locale.ROOT)).toList();
  }
}
