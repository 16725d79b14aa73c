package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.store.claim.ClaimStatement;
import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimStore.Shares;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which jobs a claim takes from many queues, and that it reads no others. */
class ClaimByQueueTest extends StoreFixture {
  /** Blocks that a claim of eight jobs reads, without one that it need not read. */
  private static final long FEW_BLOCKS = 1_500;

  private void pause(String queue) throws SQLException {
    database.execute("INSERT INTO errand.queues (name, paused) VALUES ('" + queue + "', true)");
  }

  private Claims claim(int limit, List<String> queues, String firstQueue) throws SQLException {
    return claims.claim(
        new Claimer(workerId, "w", queues, firstQueue, List.of(), Shares.EQUAL),
        atOnce(limit, Long.MAX_VALUE));
  }

  private List<String> queuesOf(Claims claims) {
    return claims.jobs().stream().map(job -> job.queue()).sorted().toList();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theHighestPriorityAndThenTheOldestComeFirstWhateverTheirQueues(boolean onePaused)
      throws SQLException {
    if (onePaused) {
      database.fill(5, "paused", 100, "now() - interval '1 hour'");
      pause("paused");
    }
    database.fill(2, "a", 0, "now() - interval '9 minutes'");
    database.fill(2, "b", 0, "now() - interval '10 minutes'");
    database.fill(1, "a", 0, "now() - interval '11 minutes'");
    database.fill(1, "c", 7, "now() - interval '1 minute'");
    database.fill(3, "d", 90, "now() + interval '1 hour'");
    assertThat(queuesOf(claim(1, List.of("*"), ""))).containsExactly("c");
    assertThat(queuesOf(claim(1, List.of("*"), ""))).containsExactly("a");
    assertThat(queuesOf(claim(3, List.of("*"), ""))).containsExactly("a", "b", "b");
    assertThat(queuesOf(claim(3, List.of("*"), ""))).containsExactly("a");
    assertThat(claim(3, List.of("*"), "").jobs()).isEmpty();
  }

  @Test
  void theHighestPriorityComesFirstBesideManyQueuesWhoseJobsAreNotDue() throws SQLException {
    database.fill(40, "later#", 0, "now() + interval '1 hour'");
    database.fill(24, "high", 100, "now() - interval '1 minute'");
    database.fill(24, "low", -100, "now() - interval '1 hour'");
    assertThat(queuesOf(claim(8, List.of("*"), ""))).hasSize(8).containsOnly("high");
    assertThat(queuesOf(claim(24, List.of("*"), "")))
        .hasSize(24)
        .containsSubsequence("high", "low")
        .satisfies(queues -> assertThat(queues.stream().filter("high"::equals)).hasSize(16));
  }

  @Test
  void theHighestPriorityComesFirstBesideManyQueuesWithJobs() throws SQLException {
    database.fill(100, "other#", 0, "now() - interval '1 hour'");
    database.fill(24, "high", 100, "now() - interval '1 minute'");
    database.fill(24, "higher", 101, "now() - interval '1 minute'");
    List<String> order = new ArrayList<>();
    boolean more = true;
    while (more) {
      Claims some = claim(8, List.of("*"), "");
      order.addAll(queuesOf(some));
      more = some.jobs().size() == 8 || some.someUnread();
    }
    assertThat(order).hasSize(148);
    assertThat(order.subList(0, 24)).containsOnly("higher");
    assertThat(order.subList(24, 48)).containsOnly("high");
  }

  @Test
  void aWorkerOfSomeQueuesClaimsFromThemAlone() throws SQLException {
    database.fill(2, "a", 5, "now() - interval '1 minute'");
    database.fill(2, "b", 9, "now() - interval '1 minute'");
    database.fill(2, "c", -100, "now() - interval '1 minute'");
    database.fill(2, "c", 100, "now() - interval '1 minute'");
    assertThat(queuesOf(claim(10, List.of("c", "none", "a"), "")))
        .containsExactly("a", "a", "c", "c", "c", "c");
    assertThat(claim(10, List.of("c", "none", "a"), "").nextQueue()).isNull();
  }

  @Test
  void moreQueuesThanOneClaimLooksAtAreServedInTurn() throws SQLException {
    pause("q300");
    database.fill(600, "q#", 0, "now() - interval '1 minute'");
    List<String> claimed = new ArrayList<>();
    String next = "";
    for (int i = 0; i < 5 && next != null; i++) {
      Claims some = claim(400, List.of("*"), next);
      claimed.addAll(queuesOf(some));
      next = some.nextQueue();
    }
    assertThat(next).isNull();
    assertThat(claimed).hasSize(599).doesNotHaveDuplicates().doesNotContain("q300");
  }

  @Test
  void jobsThatCannotRunAreNotRead() throws SQLException, IOException {
    database.fill(10_000, "later", 50, "now() + interval '1 hour'");
    database.fill(10_000, "later", 0, "now() + interval '1 hour'");
    database.fill(10, "a", 0, "now() - interval '1 minute'");
    database.execute("ANALYZE errand.jobs");
    assertThat(blocksOfClaim()).isLessThan(FEW_BLOCKS);
    database.fill(10_000, "paused", 100, "now() - interval '1 hour'");
    database.fill(10_000, "paused", 0, "now() - interval '1 hour'");
    pause("paused");
    assertThat(blocksOfClaim()).isLessThan(FEW_BLOCKS);
  }

  @Test
  void aClaimReadsFewBlocksWhereOneOfAThousandQueuesHasAlmostAllJobs()
      throws SQLException, IOException {
    database.fill(20_000, "a", 0, "now() - interval '1 hour'");
    database.fill(1_000, "q#", 0, "now() - interval '1 minute'");
    database.execute("ANALYZE errand.jobs");
    assertThat(blocksOfClaim()).isLessThan(4 * FEW_BLOCKS);
    pause("q7");
    assertThat(blocksOfClaim()).isLessThan(4 * FEW_BLOCKS);
  }

  /** Blocks that a claim of eight jobs touches; it is rolled back. */
  private long blocksOfClaim() throws SQLException, IOException {
    StringBuilder numbered = new StringBuilder();
    int number = 0;
    for (char character : ClaimStatement.CLAIM.toCharArray()) {
      numbered.append(character == '?' ? "$" + ++number : character);
    }
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("SET LOCAL plan_cache_mode = force_generic_plan");
      statement.execute(
          "PREPARE claim (boolean, text[], text, text[], smallint[], timestamptz[], text[], float8[], float8[], float8, integer, integer, uuid, bigint, text, uuid) AS "
              + numbered);
      try (ResultSet row =
          statement.executeQuery(
              "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE claim (true, null, '', null, null, null, null, null, null, 1, 8, 8, '%1$s', 1000000000, 'w', '%1$s')"
                  .formatted(workerId))) {
        row.next();
        JsonNode plan = new ObjectMapper().readTree(row.getString(1)).get(0).get("Plan");
        return plan.get("Shared Hit Blocks").asLong() + plan.get("Shared Read Blocks").asLong();
      } finally {
        connection.rollback();
        statement.execute("DEALLOCATE claim");
        connection.commit();
      }
    }
  }
}
