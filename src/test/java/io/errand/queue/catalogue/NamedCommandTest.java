package io.errand.queue.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What named commands take for values, and what they make of them. */
class NamedCommandTest {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private static JsonNode json(String text) throws IOException {
    return JSON.readTree(text.replace('\'', '"'));
  }

  private static List<String> faultsOf(String definition) throws IOException {
    List<String> faults = new ArrayList<>();
    NamedCommand command =
        NamedCommand.read(
            "it", 1, json(definition), (field, message) -> faults.add(field + " " + message));
    assertThat(command == null).isEqualTo(!faults.isEmpty());
    return faults;
  }

  private static NamedCommand command(String definition) throws IOException {
    assertThat(faultsOf(definition)).isEmpty();
    return Objects.requireNonNull(
        NamedCommand.read("it", 1, json(definition), (field, message) -> {}));
  }

  private static NamedCommand of(String parameter) throws IOException {
    return command("{'command':['/bin/echo','{v}'],'parameters':{'v':" + parameter + "}}");
  }

  private static List<String> fill(NamedCommand command, JsonNode values) {
    List<String> faults = new ArrayList<>();
    List<String> argv =
        command.fill(
            values,
            "parameters",
            FillBudget.ofJob(),
            (field, message) -> faults.add(field + " " + message));
    return faults.isEmpty() ? argv : faults;
  }

  /** The argument that a value becomes, or the complaint about it. */
  private static String value(String parameter, Object value) throws IOException {
    ObjectNode values = JsonNodeFactory.instance.objectNode();
    values.set("v", JSON.valueToTree(value));
    List<String> result = fill(of(parameter), values);
    return result.get(result.size() - 1);
  }

  private static void assertRefused(String parameter, Object value) throws IOException {
    assertThat(value(parameter, value)).as(String.valueOf(value)).startsWith("parameters.v must");
  }

  @Test
  void anArgumentIsFilledAndNeverSplit() throws IOException {
    NamedCommand convert =
        command(
            "{'command':['/usr/bin/convert','{in}','--size={w}x{h}','{{literal}}','--q={q}'],"
                + "'parameters':{'in':{'type':'string'},'w':{'type':'integer','required':true},"
                + "'h':{'type':'integer','default':600},'q':{'type':'integer'}}}");
    assertThat(fill(convert, json("{'in':'a b; rm $(x) `y` {w}','w':800}")))
        .containsExactly("/usr/bin/convert", "a b; rm $(x) `y` {w}", "--size=800x600", "{literal}");
    assertThat(fill(convert, json("{'w':1,'q':5}")))
        .containsExactly("/usr/bin/convert", "--size=1x600", "{literal}", "--q=5");
    assertThat(fill(convert, json("{'in':'a','x':1}")))
        .containsExactly(
            "parameters.x is not a parameter of the command it",
            "parameters.w is required by the command it");
    assertThat(fill(convert, json("[]"))).containsExactly("parameters must be an object");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-",
        "-rf",
        "--help",
        "@file",
        "\u2010x",
        "\u2011x",
        "\u2012x",
        "\u2013x",
        "\u2014x",
        "\u2015x",
        "\u2212x",
        "\uff0dx",
        "\ufe63x",
        "\ufe58x",
        "\uff20x",
        "\ufe6bx",
        "\u2e3ax",
        "\u207bx",
        "\u208bx",
        "\u02d7x",
        "\u00adx",
        "\u2796x",
        "\u301cx",
        "\u30a0x",
        "a\u0000b",
        "a\nb",
        "a\rb",
        "\n",
        "a\tb",
        "a\u001bb",
        "a\u007fb",
        "a\u0085b",
        "a\u2028b",
        "a\u2029b",
        "\u200b-x",
        "\u202e-x",
        "a\u202eb",
        "\ufeff-x",
        "a\ud800b",
        "\udc00",
        ""
      })
  void aStringWithAHostileBeginningOrCharacterIsRefused(String text) throws IOException {
    assertRefused("{'type':'string'}", text);
    assertRefused("{'type':'string','pattern':'(?s).*'}", text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a", "a-b", "a@b", "ä ö", " -x", "日本", "😀", "$(reboot)", "'", "\\", "%n"})
  void anyOtherStringIsOneArgument(String text) throws IOException {
    assertThat(value("{'type':'string'}", text)).isEqualTo(text);
  }

  @Test
  void aDefinitionAllowsHostileCharactersOneByOne() throws IOException {
    String dash = "{'type':'string','allow_leading':'-'}";
    assertThat(value(dash, "-x")).isEqualTo("-x");
    assertRefused(dash, "@x");
    assertRefused(dash, "\u2013x");
    String lines = "{'type':'string','allow_characters':'\\n'}";
    assertThat(value(lines, "a\nb")).isEqualTo("a\nb");
    assertRefused(lines, "a\rb");
    assertRefused(lines, "a\u0000b");
  }

  @Test
  void aPatternIsAnchoredAndLinear() throws IOException {
    String hex = "{'type':'string','pattern':'[0-9a-f]+|x','max_length':4096}";
    assertThat(value(hex, "beef")).isEqualTo("beef");
    assertRefused(hex, "beef ");
    assertRefused(hex, "xx");
    assertRefused(hex, "beef\n");
    assertRefused(hex, 7);
    assertRefused(
        "{'type':'string','pattern':'(a|a)*(a*)*b','max_length':4096}", "a".repeat(4_096));
    assertRefused("{'type':'string','max_length':3}", "abcd");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(",
        "a{1001}",
        "(?=a)",
        "(a)\\\\1",
        "(?:a{1000}){1000}",
        "(?:a{100}\\\\Q(\\\\E){300}",
        "(?:(?:(?:a{100}\\\\Q(\\\\E){100}\\\\Q(\\\\E){100}\\\\Q(\\\\E){100}",
        "(?:a{100})\\\\Q\\\\E{100}\\\\Q\\\\E{100}",
        "(?:a{100}[(]){300}",
        "(?:a{100})(?i){300}",
        "(?:a{100}[[:alpha:](]){300}",
        ".{0,990}.{0,990}",
        "((((a{9}){9}){9}){9}){9}",
        "",
        "[\\\\d]{3}{1000}{9}"
      })
  void aPatternThatIsWrongOrTooLargeIsRefused(String pattern) throws IOException {
    assertThat(
            faultsOf(
                "{'command':['/bin/echo','{v}'],'parameters':{'v':{'type':'string','pattern':'"
                    + pattern
                    + "'}}}"))
        .anyMatch(fault -> fault.startsWith("parameters.v.pattern "));
  }

  @ParameterizedTest
  @CsvSource({"0,0", "7,7", "'7',7", "1e2,100", "12.0,12", "4000,4000"})
  void aWholeNumberIsWrittenPlainly(String given, String argument) throws IOException {
    assertThat(value("{'type':'integer','maximum':4000}", json(given))).isEqualTo(argument);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1",
        "4001",
        "1.5",
        "1e999999999",
        "1e-999999999",
        "'+1'",
        "' 1'",
        "'1 '",
        "'0x10'",
        "'١'",
        "'1e2'",
        "'-0x'",
        "true",
        "null_",
        "[1]",
        "{}",
        "''",
        "'--1'",
        "'９'"
      })
  void anyOtherNumberIsRefused(String given) throws IOException {
    JsonNode value = given.equals("null_") ? json("'null'") : json(given);
    assertRefused("{'type':'integer','maximum':4000}", value);
  }

  @Test
  void aNumberBelowZeroNeedsAMinimumBelowZero() throws IOException {
    assertRefused("{'type':'number'}", -0.5);
    assertThat(value("{'type':'number','minimum':-1}", -0.5)).isEqualTo("-0.5");
    assertThat(value("{'type':'number','minimum':-1}", "0.250")).isEqualTo("0.25");
    assertRefused("{'type':'number','minimum':-1}", json("1e-999999999"));
  }

  @Test
  void aBooleanAndAnEnumAreWords() throws IOException {
    assertThat(value("{'type':'boolean'}", true)).isEqualTo("true");
    assertThat(value("{'type':'boolean'}", "false")).isEqualTo("false");
    assertRefused("{'type':'boolean'}", 1);
    assertRefused("{'type':'boolean'}", "True");
    String words = "{'type':'enum','values':['png','-strip']}";
    assertThat(value(words, "-strip")).isEqualTo("-strip");
    assertRefused(words, "jpg");
    assertRefused(words, "png\n");
    assertRefused(words, "PNG");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "..",
        "../x",
        "a/../../x",
        "/srv/media/..",
        "/srv/media/../x",
        "/srv/mediax",
        "/etc/passwd",
        "/srv/media",
        "/srv/media/",
        "/",
        "",
        ".",
        "./x",
        "a/./b",
        "a//b",
        "//srv/media/x",
        "a/",
        "a\u0000b",
        "a\nb",
        "a\u2028b",
        "a\u202eb"
      })
  void aPathOutsideOfItsRootIsRefused(String path) throws IOException {
    assertRefused("{'type':'path','root':'/srv/media'}", path);
  }

  @Test
  void aPathIsWholeAlsoWhereItWasGivenFromTheRootOn() throws IOException {
    String path = "{'type':'path','root':'/srv/media'}";
    assertThat(value(path, "a/b.png")).isEqualTo("/srv/media/a/b.png");
    assertThat(value(path, "-rf")).isEqualTo("/srv/media/-rf");
    assertThat(value(path, "/srv/media/..a")).isEqualTo("/srv/media/..a");
    assertThat(value("{'type':'path','root':'/'}", "/etc/x")).isEqualTo("/etc/x");
    assertRefused("{'type':'path','root':'/'}", "a".repeat(5_000));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{}",
        "{'command':[]}",
        "{'command':['convert']}",
        "{'command':['/bin/../bin/sh']}",
        "{'command':['/bin/{x}'],'parameters':{'x':{'type':'string'}}}",
        "{'command':['/bin/a','{x}']}",
        "{'command':['/bin/a'],'parameters':{'x':{'type':'string'}}}",
        "{'command':['/bin/a','{x']}",
        "{'command':['/bin/a','x}']}",
        "{'command':['/bin/a','{X}'],'parameters':{'X':{'type':'string'}}}",
        "{'command':['/bin/a',1]}",
        "{'command':'/bin/a'}",
        "{'command':['/bin/a'],'shell':true}",
        "{'command':['/bin/a\\u0000']}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'secret'}}}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'string','minimum':1}}}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'integer','minimum':5,'maximum':4}}}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'integer','maximum':4,'default':5}}}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'path'}}}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'path','root':'srv'}}}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'enum','values':[]}}}",
        "{'command':['/bin/a','{x}'],'parameters':{'x':{'type':'string','allow_leading':'a'}}}",
        "{'command':['/bin/a'],'defaults':{'pinned':['timeout_seconds']}}",
        "{'command':['/bin/a'],'job_may_set':['command']}",
        "{'command':['/bin/a'],'description':7}",
      })
  void aDefinitionThatIsWrongSaysWhere(String definition) throws IOException {
    assertThat(faultsOf(definition)).isNotEmpty().hasSizeLessThan(3);
  }

  @Test
  void whatDecidesAboutTheCommandIsClosedUnlessItIsOpened() throws IOException {
    assertThat(command("{'command':['/bin/a']}").pinned()).isEqualTo(NamedCommand.CLOSED);
    assertThat(
            command(
                    "{'command':['/bin/a'],'job_may_set':['env','stdin','user'],"
                        + "'defaults':{'queue':'q','pinned':['queue']}}")
                .pinned())
        .containsExactlyInAnyOrder("queue", "sandbox", "working_directory");
  }
}
