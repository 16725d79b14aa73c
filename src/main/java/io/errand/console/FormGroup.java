package io.errand.console;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Fields of a form that belong together.
 *
 * @param title of them, or empty
 * @param isWide whether each takes a line
 */
public record FormGroup(String title, boolean isWide, List<FormField> fields) {

  /** Fields beside each other. */
  public static FormGroup of(String title, FormField... fields) {
    return new FormGroup(title, false, List.of(fields));
  }

  /** Fields below each other. */
  public static FormGroup wide(String title, FormField... fields) {
    return new FormGroup(title, true, List.of(fields));
  }

  /**
   * The groups with what is shown in their fields and what is wrong with it.
   *
   * @param values by the name of a field
   * @param faults by the name of a field, as of {@link #faults}
   */
  public static List<FormGroup> filled(
      List<FormGroup> groups, UnaryOperator<String> values, Map<String, String> faults) {
    return groups.stream()
        .map(
            group ->
                new FormGroup(
                    group.title,
                    group.isWide,
                    group.fields.stream()
                        .map(
                            field ->
                                field.filled(
                                    values.apply(field.name()),
                                    faults.getOrDefault(field.name(), "")))
                        .toList()))
        .toList();
  }

  /**
   * What is wrong by the name of a field, each with what the body calls it where that is a part of
   * it; under the empty name what belongs to none of the form.
   */
  public static Map<String, String> faults(List<FormGroup> groups, @Nullable Fault problem) {
    Set<String> names = new HashSet<>();
    groups.forEach(group -> group.fields.forEach(field -> names.add(field.name())));
    Map<String, List<String>> faults = new HashMap<>();
    if (problem != null) {
      problem
          .errors()
          .forEach(
              error -> {
                String last = error.field().substring(error.field().lastIndexOf('.') + 1);
                String first = error.field().split("[.\\[]", 2)[0];
                String at = names.contains(first) ? first : names.contains(last) ? last : "";
                String what =
                    error.field().equals(at) || last.equals(at)
                        ? error.message()
                        : (error.field() + " " + error.message()).strip();
                faults.computeIfAbsent(at, key -> new ArrayList<>()).add(what);
              });
    }
    Map<String, String> joined = new HashMap<>();
    faults.forEach((field, all) -> joined.put(field, String.join("; ", all)));
    return joined;
  }
}
