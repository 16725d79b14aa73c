package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.api.problem.Problem.FieldError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers are compared as they are written. */
class FieldsTest {
  private static List<FieldError> errors(String number, boolean above) throws IOException {
    List<FieldError> errors = new ArrayList<>();
    byte[] body = ("{\"n\":" + number + "}").getBytes(StandardCharsets.UTF_8);
    Fields.of(JsonBody.read(body), "", errors).number("n", 1, 0, above, 86_400);
    return errors;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-1e-400",
        "-1e-300",
        "-0.000000001",
        "86400.00000000000000000000001",
        "1e400",
        "1e309"
      })
  void numbersOutOfBoundsAreRefusedHoweverSmallTheDifference(String number) throws IOException {
    assertThat(errors(number, false)).hasSize(1);
    assertThat(errors(number, true)).hasSize(1);
  }

  @Test
  void numbersInBoundsAreTaken() throws IOException {
    for (String number : List.of("0", "-0.0", "0e999999999", "1e-400", "86400", "8.64e4")) {
      assertThat(errors(number, false)).as(number).isEmpty();
    }
    assertThat(errors("1e-400", true)).as("is kept as 0").hasSize(1);
    assertThat(errors("1e-300", true)).isEmpty();
  }
}
