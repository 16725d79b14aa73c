package io.errand.api.answer;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A JSON object with a long list, whose elements are read by the batch while it is sent. */
public final class ListParts implements AnswerParts {
  private final Batches batches;
  private final AnswerBudget budget;
  private final String end;
  private final Deque<byte[]> ready = new ArrayDeque<>();
  private String before;
  private boolean ended;

  /** Reads elements. */
  public interface Batches {
    /** The next elements, maybe none; null behind the last. */
    @Nullable List<?> next() throws SQLException;
  }

  /**
   * An object whose first member is the list.
   *
   * @param name of the list
   * @param otherMembers as JSON, empty or with a comma before each
   */
  public ListParts(String name, Batches batches, String otherMembers, AnswerBudget budget) {
    this.batches = batches;
    this.budget = budget;
    before = "{\"" + name + "\":[";
    end = "]" + otherMembers + "}";
  }

  @Override
  public byte @Nullable [] next() throws SQLException {
    while (ready.isEmpty() && !ended) {
      List<?> batch = batches.next();
      if (batch == null) {
        ended = true;
        ready.add(((before.equals(",") ? "" : before) + end).getBytes(StandardCharsets.US_ASCII));
      } else if (!batch.isEmpty()) {
        ready.addAll(budget.elements(before, batch));
        before = ",";
      }
    }
    return ready.poll();
  }
}
