package io.errand.style;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * No regular expression of the product takes more than linear time, whatever text it meets. Each is
 * tried on long texts that make a matcher go back, and the characters that it reads are counted.
 */
class LinearRegexTest {
  private static final int LENGTH = 18_000;

  /** Reads of each character. Repeats with a bound in an expression need as many at most. */
  private static final int MOST_READS = 64;

  private static final String LITERAL = "\"(?:[^\"\\\\]|\\\\.)*+\"";

  /** A call with an expression; what begins in lower case is no constant. */
  private static final Pattern CALL =
      Pattern.compile(
          "(?:(\\w+)\\s*=\\s*)?(Pattern\\.compile|\\.matches|\\.split|\\.replaceAll|\\.replaceFirst)\\(\\s*"
              + "(%s(?:\\s*\\+\\s*%s)*+|[\\w.]+(?:\\(\\))?)".formatted(LITERAL, LITERAL));

  /**
   * What is no expression, is one that only the operator or the database gives text to, or is one
   * of RE2, which is linear whatever it says (NamedCommandTest).
   */
  private static final List<String> OTHER_ARGUMENTS =
      List.of(
          "Decision: result",
          "Dispatcher: job.memoryBytes()",
          "Durability: expected.wanted()",
          "Fingerprint: rule.by()",
          "Form: pattern",
          "FillBudget: compiled",
          "Parameter: pattern",
          "Programs: text",
          "Programs: value",
          "TemporaryDirectories: this");

  /** Of the client alone, which reads text of its own user. */
  private static final List<String> ON_THE_COMMAND_LINE = List.of("/cli/", "/text/FaultText.java");

  /** Too many reads. */
  @SuppressWarnings("serial") // never serialised by Java
  private static final class TooMany extends RuntimeException {}

  /** Counts how often a character is read. */
  private static final class Counted implements CharSequence {
    private final String text;
    private long left;

    Counted(String text) {
      this.text = text;
      this.left = (long) MOST_READS * text.length();
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public char charAt(int index) {
      if (--left < 0) {
        throw new TooMany();
      }
      return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  @Test
  void everyRegularExpressionOfTheProductIsLinear() throws IOException {
    List<String> slow = new ArrayList<>();
    expressions()
        .forEach(
            (expression, whole) -> {
              for (String text : texts(expression)) {
                if (!isLinear(expression, whole, text)) {
                  slow.add(expression + " on " + text.substring(0, 20) + "…");
                  break;
                }
              }
            });
    assertThat(slow).isEmpty();
  }

  @Test
  void aSlowExpressionIsFound() {
    assertThat(isLinear("\\s*=\\s*", false, "a" + " ".repeat(LENGTH) + "b")).isFalse();
    assertThat(isLinear("\\s+", false, "a" + " ".repeat(LENGTH) + "b")).isTrue();
  }

  private static boolean isLinear(String expression, boolean whole, String text) {
    Matcher matcher = Pattern.compile(expression, Pattern.DOTALL).matcher(new Counted(text));
    try {
      if (whole) {
        matcher.matches();
      } else {
        while (matcher.find()) {
          // Looks for the next.
        }
      }
      return true;
    } catch (TooMany e) {
      return false;
    }
  }

  /** Long texts of one repeated part, with and without something before and behind. */
  private static List<String> texts(String expression) {
    TreeSet<String> parts = new TreeSet<>();
    for (char c = 0; c < 128; c++) {
      parts.add(String.valueOf(c));
    }
    parts.addAll(List.of("a.", "a_", "a-", "A_", "0.", "0-", " \t", "\r\n", "\u00e4"));
    parts.addAll(literals(expression));
    List<String> texts = new ArrayList<>();
    for (String part : parts) {
      String many = part.repeat(LENGTH / part.length());
      texts.addAll(List.of(many, "a" + many + "b", "=" + many + "\0"));
    }
    return texts;
  }

  /** What an expression matches letter by letter. */
  private static List<String> literals(String expression) {
    List<String> literals = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    for (int i = 0; i <= expression.length(); i++) {
      char c = i < expression.length() ? expression.charAt(i) : '|';
      boolean isEscape = c == '\\' && i + 1 < expression.length();
      if (isEscape && !Character.isLetterOrDigit(expression.charAt(i + 1))) {
        literal.append(expression.charAt(++i));
      } else if (isEscape || "[](){}*+?|^$.".indexOf(c) >= 0) {
        i += isEscape ? 1 : 0;
        if (literal.length() > 1) {
          literals.add(literal.toString());
        }
        literal.setLength(0);
      } else {
        literal.append(c);
      }
    }
    return literals;
  }

  /**
   * Every expression of the product, and whether it is asked only whether it matches a whole text.
   */
  private static Map<String, Boolean> expressions() throws IOException {
    Map<String, Boolean> expressions = new LinkedHashMap<>();
    List<String> others = new ArrayList<>();
    StringBuilder all = new StringBuilder();
    List<Path> files;
    try (Stream<Path> walk = Files.walk(Path.of("src/main/java"))) {
      files = walk.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
    for (Path file : files) {
      all.append(Files.readString(file));
    }
    for (Path file : files) {
      String name = file.toString();
      if (ON_THE_COMMAND_LINE.stream().anyMatch(name::contains)) {
        continue;
      }
      String source = Files.readString(file);
      Matcher call = CALL.matcher(source);
      while (call.find()) {
        String argument = call.group(3);
        String expression = argument.startsWith("\"") ? argument : constant(argument, all);
        if (expression == null) {
          others.add(file.getFileName().toString().replace(".java", ": ") + argument);
        } else {
          boolean whole =
              call.group(2).equals("Pattern.compile")
                  ? call.group(1) != null && isMatchedWhole(call.group(1), source)
                  : call.group(2).equals(".matches");
          expressions.merge(value(expression), whole, Boolean::logicalAnd);
        }
      }
    }
    assertThat(expressions).hasSizeGreaterThan(25);
    assertThat(others).isSubsetOf(OTHER_ARGUMENTS);
    return expressions;
  }

  private static @Nullable String constant(String name, CharSequence sources) {
    String simple = name.substring(name.lastIndexOf('.') + 1);
    Matcher constant =
        Pattern.compile(
                "String "
                    + Pattern.quote(simple)
                    + " =\\s*(%s(?:\\s*\\+\\s*%s)*+);".formatted(LITERAL, LITERAL))
            .matcher(sources);
    return simple.equals(simple.toUpperCase(Locale.ROOT)) && constant.find()
        ? constant.group(1)
        : null;
  }

  private static boolean isMatchedWhole(String constant, String source) {
    String inner = "[^()]*+";
    for (int depth = 0; depth < 3; depth++) {
      inner = "(?:[^()]|\\(" + inner + "\\))*+";
    }
    Matcher use =
        Pattern.compile("\\b" + constant + "\\.matcher\\(" + inner + "\\)\\.?(\\w*)")
            .matcher(source);
    boolean whole = false;
    while (use.find()) {
      if (!use.group(1).equals("matches")) {
        return false;
      }
      whole = true;
    }
    return whole;
  }

  /** The text of literals that are joined. */
  private static String value(String literals) {
    StringBuilder value = new StringBuilder();
    Matcher literal = Pattern.compile(LITERAL).matcher(literals);
    while (literal.find()) {
      String text = literal.group();
      value.append(text.substring(1, text.length() - 1).translateEscapes());
    }
    return value.toString();
  }
}
