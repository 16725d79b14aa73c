package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;
import org.postgresql.util.ServerErrorMessage;

/** What is said of a statement that has failed. */
class DatabaseCheckTest {
  private static SQLException answer(String state, String text) {
    return new PSQLException(
        new ServerErrorMessage("SERROR\0VERROR\0C" + state + "\0M" + text + "\0"));
  }

  @Test
  void anErrorThatTheDatabaseSendsIsAnAnswer() {
    for (String state : new String[] {"23514", "2201B", "22023", "42501", "57014", "53100"}) {
      SQLException fault = answer(state, "violates a rule");
      assertThat(DatabaseCheck.description(fault))
          .as(state)
          .startsWith("the database refused a statement: ERROR: violates a rule");
      assertThat(DatabaseCheck.reason(fault)).as(state).doesNotContain("does not answer");
      SQLException wrapped = new SQLException("in a batch", state, fault);
      assertThat(DatabaseCheck.hasAnswered(wrapped)).as(state).isTrue();
    }
  }

  @Test
  void aLostConnectionAndASessionThatIsEndedAreNone() {
    for (SQLException fault :
        new SQLException[] {
          new PSQLException("I/O error", PSQLState.CONNECTION_FAILURE),
          new SQLException("no connection in time"),
          answer("57P01", "terminating connection")
        }) {
      assertThat(DatabaseCheck.description(fault)).startsWith("the database does not answer: ");
      assertThat(DatabaseCheck.hasAnswered(fault)).isFalse();
    }
  }
}
