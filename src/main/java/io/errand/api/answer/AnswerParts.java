package io.errand.api.answer;

import io.errand.api.problem.Problem;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer in parts, each of which is made when it is asked for. Used by one thread at
 * a time.
 */
public interface AnswerParts {
  /** No part is larger than this, in bytes. */
  int MOST_BYTES = 64 * 1024;

  /** The next part cannot be made at the moment, and can be asked for again. */
  @SuppressWarnings("serial") // never serialised by Java
  final class NotNow extends RuntimeException {
    private final Problem problem;

    /**
     * For a while.
     *
     * @param problem what is answered if it would be the first part
     */
    public NotNow(Problem problem) {
      super(problem.getMessage(), null, false, false);
      this.problem = problem;
    }

    Problem problem() {
      return problem;
    }
  }

  /**
   * Makes the next part. May read the database.
   *
   * @return 1 to {@link #MOST_BYTES} bytes, or null behind the last part
   * @throws NotNow if it has to wait for memory or the database
   */
  byte @Nullable [] next() throws SQLException;

  /** Parts that are there already; each is let go when it is handed out. */
  static AnswerParts of(Collection<byte[]> parts) {
    Deque<byte[]> rest = new ArrayDeque<>(parts);
    return rest::poll;
  }

  /** All parts of the first, then all of the second, and so on. */
  static AnswerParts inTurn(List<AnswerParts> all) {
    Deque<AnswerParts> rest = new ArrayDeque<>(all);
    return () -> {
      while (!rest.isEmpty()) {
        byte[] part = rest.element().next();
        if (part != null) {
          return part;
        }
        rest.remove();
      }
      return null;
    };
  }
}
