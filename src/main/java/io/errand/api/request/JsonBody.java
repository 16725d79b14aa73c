package io.errand.api.request;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ValueNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a body strictly and within bounds: UTF-8 JSON, no member twice, no lone surrogate, at most
 * {@value #MAX_DEPTH} levels deep, numbers of at most 100 digits and with exponents of at most 400.
 */
public final class JsonBody {
  public static final int MAX_BYTES = 1 << 20;
  static final int MAX_BATCH_BYTES = 16 << 20;
  private static final int MAX_DEPTH = 64;

  /** More than any job has; a list of 1,000 jobs has room for 500 of each. */
  private static final int MAX_TOKENS = 50_000;

  private static final int MAX_BATCH_TOKENS = 500_000;

  /** Digits behind the point, or zeros before it. The database and a double take no more. */
  private static final int MAX_SCALE = 400;

  private static final ObjectMapper MAPPER = mapper(MAX_TOKENS);
  private static final ObjectMapper BATCH_MAPPER = mapper(MAX_BATCH_TOKENS);
  private static final ObjectReader ITEM_READER =
      BATCH_MAPPER.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  public static final JsonNode EMPTY = MAPPER.createObjectNode();

  private static ObjectMapper mapper(int mostTokens) {
    return JsonMapper.builder(
            JsonFactory.builder()
                // Its table of names is shared by all readers, and names can be made to collide.
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(
                    StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxTokenCount(mostTokens)
                        .maxNumberLength(100)
                        .maxStringLength(MAX_BATCH_BYTES)
                        .maxNameLength(1024)
                        .build())
                .build())
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
        .nodeFactory(new BoundedNumbers())
        .build();
  }

  /** Refuses numbers that would have many digits if they were written out. */
  private static final class BoundedNumbers extends JsonNodeFactory {
    private static final long serialVersionUID = 1;

    @Override
    public ValueNode numberNode(@Nullable BigDecimal number) {
      if (number != null && Math.abs((long) number.scale()) > MAX_SCALE) {
        throw new NumberFormatException("An exponent is too large");
      }
      return super.numberNode(number);
    }
  }

  private JsonBody() {}

  /**
   * The JSON value of a body of at most {@link #MAX_BYTES}.
   *
   * @throws Problem 400 or 413
   */
  public static JsonNode read(byte[] body) {
    if (body.length > MAX_BYTES) {
      throw tooLarge(MAX_BYTES);
    }
    return parse(body);
  }

  /** The same of one that has arrived. */
  public static JsonNode read(RequestBody body) throws IOException {
    body.checkKept();
    return read(body.readAllBytes());
  }

  static Problem tooLarge(long mostBytes) {
    return Problem.of(Kind.TOO_LARGE, "The body may have at most " + mostBytes + " bytes");
  }

  private static JsonNode parse(byte[] bytes) {
    if (bytes.length == 0) {
      throw empty();
    }
    try {
      // Decoded first, because the parser takes overlong forms for what they are not.
      JsonNode value = MAPPER.readTree(strictUtf8().decode(ByteBuffer.wrap(bytes)).toString());
      if (value == null || value.isMissingNode()) {
        throw empty();
      }
      return value;
    } catch (IOException | NumberFormatException e) {
      throw problem(e);
    }
  }

  private static CharsetDecoder strictUtf8() {
    return StandardCharsets.UTF_8
        .newDecoder()
        .onMalformedInput(CodingErrorAction.REPORT)
        .onUnmappableCharacter(CodingErrorAction.REPORT);
  }

  /**
   * A parser for a batch, before its first token.
   *
   * @throws Problem 400 or 413
   */
  public static JsonParser batchParser(RequestBody body) throws IOException {
    body.checkKept();
    if (body.remaining() == 0) {
      throw empty();
    }
    return BATCH_MAPPER.createParser(new InputStreamReader(body, strictUtf8()));
  }

  /** The value that the parser is at the first token of, with the tokens that a job may have. */
  public static JsonNode nextOf(JsonParser parser) throws IOException {
    return ITEM_READER.readTree(new BoundedParser(parser, MAX_TOKENS));
  }

  /** Sees to it that the one value of a body was all of it. */
  public static void requireEnd(JsonParser parser) throws IOException {
    if (parser.currentToken() == null) {
      throw empty();
    }
    if (parser.nextToken() != null) {
      throw Problem.invalid("body", "is not acceptable JSON: something follows its value");
    }
  }

  private static Problem empty() {
    return Problem.invalid("body", "must be JSON, and is empty");
  }

  /** What is wrong with a body that could not be read. */
  public static Problem problem(Exception fault) {
    if (fault instanceof CharacterCodingException) {
      return Problem.invalid("body", "must be UTF-8");
    }
    if (fault instanceof JsonProcessingException malformed) {
      return Problem.invalid("body", "is not acceptable JSON: " + sentence(malformed));
    }
    if (fault instanceof NumberFormatException) {
      return Problem.invalid(
          "body", "holds a number whose exponent is not from -" + MAX_SCALE + " to " + MAX_SCALE);
    }
    throw new IllegalStateException("A body in memory cannot be read", fault);
  }

  private static String sentence(JsonProcessingException fault) {
    JsonLocation location = fault.getLocation();
    String where =
        location == null
            ? ""
            : " (line " + location.getLineNr() + ", column " + location.getColumnNr() + ")";
    String said = fault.getOriginalMessage();
    String text = said == null ? "malformed" : said.lines().findFirst().orElse("malformed");
    text = withoutInnerNames(text);
    return (text.length() > 200 ? text.substring(0, 200) + "…" : text) + where;
  }

  /** With this the parser begins to say how it could be made to accept a text. */
  private static final List<String> ADVICE =
      List.of(
          ": enable `", " (not recognized as one since", " (bound as `", " (consider enabling `");

  /** Without what the parser says of itself: its methods and features, and what holds the text. */
  private static String withoutInnerNames(String said) {
    String text = said;
    int from = text.indexOf(", from `");
    int to = from < 0 ? -1 : text.indexOf("`", from + ", from `".length());
    if (to >= 0) {
      text = text.substring(0, from) + text.substring(to + 1);
    }
    for (String advice : ADVICE) {
      int begin = text.indexOf(advice);
      text = begin < 0 ? text : text.substring(0, begin);
    }
    int source = text.indexOf("[Source: ");
    int line = source < 0 ? -1 : text.indexOf("line: ", source);
    int end = line < 0 ? -1 : text.indexOf("]", line);
    return end < 0
        ? text
        : text.substring(0, source) + text.substring(line, end) + text.substring(end + 1);
  }

  /** Bounds the tokens of one job among many, so that its tree is bounded. */
  private static final class BoundedParser extends JsonParserDelegate {
    private int left;

    BoundedParser(JsonParser parser, int most) {
      super(parser);
      left = most;
    }

    @Override
    public @Nullable JsonToken nextToken() throws IOException {
      if (--left < 0) {
        throw new StreamConstraintsException(
            "One job has too many tokens", delegate.currentLocation());
      }
      return delegate.nextToken();
    }

    @Override
    public @Nullable String nextFieldName() throws IOException {
      return nextToken() == JsonToken.FIELD_NAME ? delegate.currentName() : null;
    }
  }
}
