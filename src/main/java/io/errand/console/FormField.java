package io.errand.console;

import java.util.ArrayList;
import java.util.List;

/**
 * A field of a form.
 *
 * @param kind {@code text}, {@code number}, {@code area}, {@code choice} or {@code check}
 * @param value as it is shown, which is what was typed where the form comes back
 * @param hint one sentence, or empty
 * @param fault what is wrong with it, or empty
 * @param choices of a {@code choice}
 * @param rows of an {@code area}
 */
public record FormField(
    String name,
    String label,
    String kind,
    String value,
    String placeholder,
    String hint,
    String fault,
    boolean required,
    List<Choice> choices,
    int rows) {

  /**
   * One of several values.
   *
   * @param value that is sent
   * @param label for people
   */
  public record Choice(String value, String label) {}

  private static FormField of(String kind, String name, String label) {
    return new FormField(name, label, kind, "", "", "", "", false, List.of(), 1);
  }

  /** A line of text. */
  public static FormField text(String name, String label) {
    return of("text", name, label);
  }

  /** A number. */
  public static FormField number(String name, String label, String placeholder) {
    return of("number", name, label).placeholder(placeholder);
  }

  /** Lines of text. */
  public static FormField area(String name, String label, int rows) {
    FormField field = of("area", name, label);
    return new FormField(name, label, field.kind, "", "", "", "", false, List.of(), rows);
  }

  /** One of some values: value and label in turn. */
  public static FormField choice(String name, String label, String... valuesAndLabels) {
    List<Choice> choices = new ArrayList<>();
    for (int i = 0; i < valuesAndLabels.length; i += 2) {
      choices.add(new Choice(valuesAndLabels[i], valuesAndLabels[i + 1]));
    }
    return new FormField(name, label, "choice", "", "", "", "", false, List.copyOf(choices), 1);
  }

  /** A box to check; its value is {@code on} or empty. */
  public static FormField check(String name, String label) {
    return of("check", name, label);
  }

  /** With a sentence. */
  public FormField hint(String sentence) {
    return new FormField(
        name, label, kind, value, placeholder, sentence, fault, required, choices, rows);
  }

  /** With what an empty field means. */
  public FormField placeholder(String text) {
    return new FormField(name, label, kind, value, text, hint, fault, required, choices, rows);
  }

  /** To be filled in. */
  public FormField needed() {
    return new FormField(name, label, kind, value, placeholder, hint, fault, true, choices, rows);
  }

  /** With what is shown in it and what is wrong with that. */
  FormField filled(String shown, String wrong) {
    return new FormField(
        name, label, kind, shown, placeholder, hint, wrong, required, choices, rows);
  }
}
