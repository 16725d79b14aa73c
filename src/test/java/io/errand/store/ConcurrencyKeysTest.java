package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Claims;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.ConcurrencyKeys;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Jobs that wait for their concurrency key. */
class ConcurrencyKeysTest extends StoreFixture {
  private ConcurrencyKeys keys;

  @BeforeEach
  void makeKeys() {
    keys = new ConcurrencyKeys(database.dataSource());
  }

  /** Stores jobs whose keys an expression of their number gives, without the product's code. */
  private void submitMany(String keys, int jobs) throws SQLException {
    database.execute(
        """
        INSERT INTO errand.jobs (id, state, queue, priority, command, max_attempts, run_at,
            principal, timeout_seconds, kill_grace_seconds, stdout_limit_bytes,
            stderr_limit_bytes, success_exit_codes, on_lost, backoff, retry, fingerprint,
            concurrency_key)
        SELECT gen_random_uuid(), 'queued', 'default', 0, '{true}', 3, now(), 'admin', 60, 1, 9,
            9, '{0}', 'retry',
            '{"base_seconds":1,"factor":2,"max_seconds":60,"jitter":"full"}', '[]', '\\xab',
            %s
        FROM generate_series(0, %d - 1) AS s (i)
        """
            .formatted(keys, jobs));
  }

  private UUID submitKeyed(String key) throws SQLException {
    return submit(spec(3, OnLost.RETRY, key, null));
  }

  private Claims claims(int limit) throws SQLException {
    return claims.claim(
        new ClaimStore.Claimer(workerId, "w", List.of("*")), atOnce(limit, Long.MAX_VALUE));
  }

  private String waiting() throws SQLException {
    return database.value("SELECT count(*) FROM errand.jobs WHERE waits_for_key");
  }

  private void succeed(ClaimedJob job) throws SQLException {
    completes.complete(List.of(ended(job, Outcome.SUCCESS, 0)), "test");
  }

  @Test
  void jobsOfOneKeyLeaveTheSlotsToOthersAfterOneMoreClaim() throws SQLException {
    for (int i = 0; i < 10; i++) {
      submitKeyed("key");
    }
    UUID plain = submit();
    Set<UUID> claimed = new HashSet<>();
    Claims first = claims(4);
    assertThat(first.jobs()).hasSize(1);
    assertThat(first.someSetAside()).isTrue();
    assertThat(waiting()).isEqualTo("3");
    Claims next = claims(4); // the others of the key are not read again
    next.jobs().forEach(job -> claimed.add(job.id()));
    assertThat(claimed).containsExactly(plain);
  }

  @Test
  void aCompletionLetsTheBestOfItsKeyGo() throws SQLException {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.add(submitKeyed("key"));
    }
    List<UUID> order = new ArrayList<>();
    List<ClaimedJob> running = claim(9);
    while (!running.isEmpty()) {
      assertThat(running).hasSize(1);
      order.add(running.get(0).id());
      succeed(running.get(0));
      running = claim(9);
    }
    assertThat(order).isEqualTo(ids);
    assertThat(waiting()).isEqualTo("0");
  }

  @Test
  void whatIsSubmittedWhileItsKeyIsInUseIsSetAsideAndLetGo() throws SQLException {
    submitKeyed("key");
    ClaimedJob running = claim(9).get(0);
    for (int i = 0; i < 3; i++) {
      submitKeyed("key");
    }
    submitKeyed("free");
    assertThat(keys.setAside("").jobs()).isEqualTo(3);
    assertThat(keys.setAside("").jobs()).isZero();
    assertThat(keys.letGo("").jobs()).isZero();
    succeed(running);
    assertThat(waiting()).isEqualTo("2");
    assertThat(claim(9)).hasSize(2);
  }

  @Test
  void ofAKeyThatIsNotInUseTheFirstStaysAndOneThatIsDueLaterHoldsNobodyBack() throws SQLException {
    UUID later = submitKeyed("key");
    database.execute(
        "UPDATE errand.jobs SET priority = 5, run_at = now() + interval '1 hour' WHERE id = '"
            + later
            + "'");
    UUID first = submitKeyed("key");
    submitKeyed("key");
    assertThat(keys.setAside("").jobs()).isEqualTo(1);
    assertThat(claim(9)).extracting(ClaimedJob::id).containsExactly(first);
  }

  @Test
  void aKeyWhoseFirstJobWasCancelledGoesOn() throws SQLException {
    UUID first = submitKeyed("key");
    UUID second = submitKeyed("key");
    assertThat(keys.setAside("").jobs()).isEqualTo(1);
    control.cancel(first, ME);
    assertThat(claim(9)).isEmpty();
    assertThat(keys.letGo("").jobs()).isEqualTo(1);
    assertThat(claim(9)).extracting(ClaimedJob::id).containsExactly(second);
  }

  @Test
  void aThousandKeysAreLookedAtInOneCallAndTheNextGoesOnBehindThem() throws SQLException {
    submitMany("'key' || lpad((i / 2)::text, 5, '0')", 3_000);
    ConcurrencyKeys.Done page = keys.setAside("");
    assertThat(page.jobs()).isEqualTo(1_000);
    assertThat(page.nextKey()).isEqualTo("key00999");
    ConcurrencyKeys.Done rest = keys.setAside("key00999");
    assertThat(rest.jobs()).isEqualTo(500);
    assertThat(rest.nextKey()).isNull();
  }

  @Test
  void howManyJobsOfAKeyInUseWaitMakesNoDifference() throws SQLException {
    submitKeyed("key");
    assertThat(claim(9)).hasSize(1);
    submitMany("'key'", 5_000);
    assertThat(keys.setAside("").jobs()).isEqualTo(5_000);
    database.execute("VACUUM ANALYZE errand.jobs");
    long before = database.rowsRead();
    assertThat(keys.letGo("").jobs()).isZero();
    assertThat(keys.setAside("").jobs()).isZero();
    assertThat(database.rowsRead() - before).isLessThan(100);
  }
}
