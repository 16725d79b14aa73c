package io.errand.api.submit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem.FieldError;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Refs in a batch, and what is wrong with them. */
class BatchDependenciesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ID = "00000000-0000-4000-8000-000000000001";

  /** Each item is its ref, or nothing, and what it comes after. */
  private static List<String> errors(String... items) {
    List<FieldError> errors = new ArrayList<>();
    BatchDependencies batch = new BatchDependencies(errors);
    for (int i = 0; i < items.length; i++) {
      String[] words = items[i].split(" ");
      ObjectNode job = JSON.createObjectNode();
      if (!words[0].isEmpty()) {
        job.put("ref", words[0]);
      }
      ArrayNode after = job.putArray("after");
      for (int j = 1; j < words.length; j++) {
        after.add(words[j]);
      }
      batch.read(job, "jobs[" + i + "]");
    }
    if (errors.isEmpty()) {
      batch.check();
    }
    return errors.stream().map(error -> error.field() + " " + error.message()).toList();
  }

  @Test
  void refsMayBeOfJobsBeforeAndBehind() {
    assertThat(errors("a b", "b", " a b " + ID)).isEmpty();
    assertThat(errors("a b c", "b c", "c", "d a b c")).isEmpty();
  }

  @Test
  void aCycleIsNamed() {
    assertThat(errors("a a")).containsExactly("jobs[0].after[0] makes a cycle: a after a");
    assertThat(errors("x", "a x b", "b c", " a", "c x a"))
        .containsExactly("jobs[4].after[1] makes a cycle: a after b after c after a");
    assertThat(errors("start a", "a b", "b a"))
        .containsExactly("jobs[2].after[0] makes a cycle: a after b after a");
  }

  @Test
  void aLongCycleIsFoundAndItsNameIsBounded() {
    String[] items = new String[1_000];
    for (int i = 0; i < items.length; i++) {
      items[i] = "job" + i + " job" + (i + 1) % items.length;
    }
    assertThat(errors(items))
        .singleElement()
        .asString()
        .startsWith("jobs[999].after[0] makes a cycle: job0 after job1 after ")
        .endsWith(" after … after job0")
        .hasSizeLessThan(500);
  }

  @Test
  void everyWayIsFollowedOnce() {
    String[] items = new String[300]; // 2^298 ways from the last to the first
    items[0] = "job0";
    for (int i = 1; i < items.length; i++) {
      StringBuilder after = new StringBuilder("job" + i);
      for (int j = 0; j < i; j++) {
        after.append(" job").append(j);
      }
      items[items.length - i] = after.toString();
    }
    assertThat(errors(items)).isEmpty();
  }

  @Test
  void whatIsNoRefIsNamed() {
    assertThat(errors("a", "a")).containsExactly("jobs[1].ref is the ref of jobs[0] too");
    assertThat(errors("a", " a b"))
        .containsExactly(
            "jobs[1].after[1] must be the id of a job, or the ref of one of this batch");
    assertThat(errors(ID, "-x")).hasSize(2).allMatch(error -> error.contains(".ref must match"));
  }

  @Test
  void aBatchHasABound() {
    String[] items = new String[11];
    for (int i = 0; i < items.length; i++) {
      items[i] = "a" + i + (" " + ID).repeat(i == 10 ? 1 : 10_000);
    }
    assertThat(errors(items)).singleElement().asString().startsWith("jobs[10].after makes more");
  }
}
