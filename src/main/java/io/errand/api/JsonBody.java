package io.errand.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.errand.api.Problem.Kind;
import jakarta.ws.rs.core.HttpHeaders;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Reads a body strictly and within bounds: UTF-8 JSON, no member twice, no lone surrogate, at most
 * {@value #MAX_DEPTH} levels deep, numbers of at most 100 digits.
 */
final class JsonBody {
  static final int MAX_BYTES = 1 << 20;
  static final int MAX_BATCH_BYTES = 16 << 20;
  private static final int MAX_DEPTH = 64;

  /** What the parser says of itself: the method that set a bound, and what holds the text. */
  private static final Pattern INNER_NAMES =
      Pattern.compile(", from `[^`]*`|\\[Source: .*?; (line: \\d+, column: \\d+)]");

  /** More than any job has; a list of 1,000 jobs has room for 500 of each. */
  private static final int MAX_TOKENS = 50_000;

  private static final int MAX_BATCH_TOKENS = 500_000;
  private static final ObjectMapper MAPPER = mapper(MAX_TOKENS);
  private static final ObjectMapper BATCH_MAPPER = mapper(MAX_BATCH_TOKENS);

  private static ObjectMapper mapper(int mostTokens) {
    return JsonMapper.builder(
            JsonFactory.builder()
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
        .build();
  }

  private JsonBody() {}

  /**
   * The JSON value of a body.
   *
   * @param mostBytes how long it may be
   * @throws Problem 400 or 413
   */
  static JsonNode read(InputStream body, HttpHeaders headers, int mostBytes) throws IOException {
    String declared = headers.getHeaderString(HttpHeaders.CONTENT_LENGTH);
    if (declared != null && declared.length() < 19 && Long.parseLong(declared) > mostBytes) {
      throw tooLarge(mostBytes);
    }
    return read(body.readNBytes(mostBytes + 1), mostBytes);
  }

  /** The JSON value of a body that has been read. */
  static JsonNode read(byte[] body, int mostBytes) throws IOException {
    if (body.length > mostBytes) {
      throw tooLarge(mostBytes);
    }
    return parse(body, mostBytes == MAX_BYTES ? MAPPER : BATCH_MAPPER);
  }

  private static Problem tooLarge(int mostBytes) {
    return Problem.of(Kind.TOO_LARGE, "The body may have at most " + mostBytes + " bytes");
  }

  private static JsonNode parse(byte[] bytes, ObjectMapper mapper) throws IOException {
    if (bytes.length == 0) {
      throw Problem.invalid("body", "must be JSON, and is empty");
    }
    try {
      // Decoded first, because the parser takes overlong forms for what they are not.
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes))
              .toString();
      JsonNode value = mapper.readTree(text);
      if (value == null || value.isMissingNode()) {
        throw Problem.invalid("body", "must be JSON, and is empty");
      }
      return value;
    } catch (CharacterCodingException e) {
      throw Problem.invalid("body", "must be UTF-8");
    } catch (JsonProcessingException e) {
      throw Problem.invalid("body", "is not acceptable JSON: " + sentence(e));
    } catch (NumberFormatException e) {
      throw Problem.invalid("body", "holds a number whose exponent is too large");
    }
  }

  private static String sentence(JsonProcessingException fault) {
    JsonLocation location = fault.getLocation();
    String where =
        location == null
            ? ""
            : " (line " + location.getLineNr() + ", column " + location.getColumnNr() + ")";
    String said = fault.getOriginalMessage();
    String text = said == null ? "malformed" : said.lines().findFirst().orElse("malformed");
    text = INNER_NAMES.matcher(text).replaceAll("$1");
    return (text.length() > 200 ? text.substring(0, 200) + "…" : text) + where;
  }
}
