package io.errand.api.bulk;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.OperationKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** A filter is refused, or names something, and is the same after it was stored. */
@Tag("fuzz")
class FilterReaderFuzzTest {
  @FuzzTest
  @Timeout(60)
  void aFilterNamesSomethingAndIsStoredAsItIs(byte[] bytes) {
    JsonNode body;
    try {
      body = JsonBody.read(bytes);
    } catch (Problem refusal) {
      return;
    }
    for (OperationKind kind : OperationKind.values()) {
      List<FieldError> errors = new ArrayList<>();
      BulkFilter filter = FilterReader.read(Fields.of(body, "", errors), kind);
      if (errors.isEmpty()) {
        assertThat(filter.isEmpty()).isFalse();
        assertThat(kind.from()).containsAll(filter.states());
        assertThat(BulkFilter.of(filter.toJson())).isEqualTo(filter);
      }
    }
  }
}
