package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Access;
import io.errand.job.AttemptResult;
import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.OnFinish;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.ProjectNames;
import io.errand.job.RetryPolicy;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.control.Housekeeping;
import io.errand.store.history.HistoryCheck;
import io.errand.store.webhooks.ClaimedDelivery;
import io.errand.store.webhooks.Delivery;
import io.errand.store.webhooks.DeliveryReads;
import io.errand.store.webhooks.DeliveryState;
import io.errand.store.webhooks.DeliveryStore;
import io.errand.store.webhooks.DeliveryStore.Result;
import io.errand.store.webhooks.ResendStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Deliveries of webhooks, on the real database. */
class DeliveryStoreTest extends StoreFixture {
  private static final Result DELIVERED =
      new Result(DeliveryState.DELIVERED, true, 200, null, null);
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private DeliveryStore deliveries;
  private DeliveryReads reads;
  private ResendStore resends;

  @BeforeEach
  void openDeliveries() {
    deliveries = new DeliveryStore(database.dataSource());
    reads = new DeliveryReads(database.projectReads());
    resends = new ResendStore(database.dataSource());
  }

  private static JobSpec hooked(String url, OnLost onLost, @Nullable Instant expires) {
    return new JobSpec(
        null,
        List.of("true"),
        "default",
        0,
        null,
        null,
        Map.of(),
        null,
        60,
        1,
        new RetryPolicy(1, Backoff.DEFAULT, List.of(), Set.of(0), onLost),
        100,
        100,
        null,
        1,
        Map.of(),
        expires,
        null,
        Confinement.NONE,
        new OnFinish(url, "secret://hook"));
  }

  private UUID hooked(String url) throws SQLException {
    return submit(hooked(url, OnLost.FAIL, null));
  }

  /** A delivery of a job that was cancelled. */
  private UUID finished(String url) throws SQLException {
    UUID job = hooked(url);
    control.cancel(job, ME);
    deliveries.make(100);
    return reads.ofJob(job, ME).get(0).id();
  }

  private List<ClaimedDelivery> claimDue(Map<String, Integer> busy, int ofHost, int limit)
      throws SQLException {
    return deliveries.claim(busy, ofHost, limit, MINUTE, "").deliveries();
  }

  private Delivery find(UUID id) throws SQLException {
    return reads.find(id, ME).orElseThrow();
  }

  private void makeDue() throws SQLException {
    database.execute(
        "UPDATE errand.webhook_deliveries SET next_try_at = now() WHERE state = 'pending'");
  }

  @Test
  void everyWayToTheEndMakesOneDelivery() throws SQLException {
    UUID succeeded = hooked("http://a/1");
    completes.complete(List.of(ended(claim(1).get(0), Outcome.SUCCESS, 0)), "worker w");
    UUID failed = hooked("http://a/2");
    completes.complete(List.of(ended(claim(1).get(0), Outcome.EXIT_CODE, 70)), "worker w");
    UUID cancelledRunning = hooked("http://a/3");
    ClaimedJob running = claim(1).get(0);
    control.cancel(cancelledRunning, ME);
    completes.complete(List.of(ended(running, Outcome.CANCELLED, null)), "worker w");
    UUID lost = hooked("http://a/4");
    completes.complete(
        List.of(withoutCommand(claim(1).get(0), null, AttemptResult.lost())), "rescuer");
    UUID cancelled = hooked("http://a/5");
    control.cancel(cancelled, ME);
    UUID expired = submit(hooked("http://a/6", OnLost.RETRY, Instant.now().minusSeconds(5)));
    control.expire(10);
    UUID waiting = hooked("http://a/7");
    UUID unhooked = submit();
    control.cancel(unhooked, ME);

    assertThat(deliveries.make(4)).isEqualTo(4);
    assertThat(deliveries.make(4)).isEqualTo(2);
    assertThat(deliveries.make(4)).isZero();
    assertThat(types(succeeded)).containsExactly("io.errand.job.succeeded");
    for (UUID job : List.of(failed, lost)) {
      assertThat(types(job)).containsExactly("io.errand.job.failed");
    }
    for (UUID job : List.of(cancelledRunning, cancelled, expired)) {
      assertThat(types(job)).containsExactly("io.errand.job.cancelled");
    }
    assertThat(types(waiting)).isEmpty();
    assertThat(types(unhooked)).isEmpty();
  }

  private List<String> types(UUID job) throws SQLException {
    return reads.ofJob(job, ME).stream().map(Delivery::type).toList();
  }

  @Test
  void severalProcessesMakeEachDeliveryOnceAndClaimItOnce() throws Exception {
    for (int i = 0; i < 60; i++) {
      control.cancel(hooked("http://h" + i % 3 + "/x"), ME);
    }
    List<Integer> made = inParallel(4, () -> deliveries.make(20) + deliveries.make(60));
    assertThat(made.stream().mapToInt(n -> n).sum()).isEqualTo(60);
    List<List<ClaimedDelivery>> claimed = inParallel(4, () -> claimDue(Map.of(), 100, 100));
    assertThat(claimed.stream().flatMap(List::stream).map(ClaimedDelivery::id))
        .hasSize(60)
        .doesNotHaveDuplicates();
  }

  private static <T> List<T> inParallel(int threads, Callable<T> call) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<T> results = new ArrayList<>();
      for (Future<T> one : pool.invokeAll(java.util.Collections.nCopies(threads, call))) {
        results.add(one.get());
      }
      return results;
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void aSlowHostDoesNotHoldUpTheOthers() throws SQLException {
    for (int i = 0; i < 10; i++) {
      finished("http://Slow:81/" + i);
    }
    UUID quick = finished("https://quick/x");
    UUID six = finished("http://[::1]:80/x");
    assertThat(claimDue(Map.of("slow", 4), 4, 100))
        .extracting(ClaimedDelivery::id)
        .containsExactlyInAnyOrder(quick, six);
    assertThat(claimDue(Map.of("slow", 1, "quick", 9), 4, 100))
        .hasSize(3)
        .allMatch(claimed -> claimed.host().equals("slow"));
    assertThat(claimDue(Map.of(), 100, 2)).hasSize(2);
  }

  @Test
  void manyHostsAreReadByThePage() throws SQLException {
    for (int i = 0; i < 300; i++) {
      control.cancel(hooked("http://h" + (1000 + i) + "/"), ME);
    }
    assertThat(deliveries.make(1000)).isEqualTo(300);
    DeliveryStore.Claims first = deliveries.claim(Map.of(), 4, 1000, MINUTE, "");
    assertThat(first.deliveries()).hasSize(256);
    DeliveryStore.Claims second =
        deliveries.claim(Map.of(), 4, 1000, MINUTE, String.valueOf(first.nextHost()));
    assertThat(second.deliveries()).hasSize(44);
    assertThat(second.nextHost()).isNull();
  }

  @Test
  void aClaimEndsWithItsLeaseAndItsLateResultIsDropped() throws SQLException {
    UUID id = finished("http://a/");
    ClaimedDelivery first = claimDue(Map.of(), 4, 10).get(0);
    assertThat(claimDue(Map.of(), 4, 10)).isEmpty();
    makeDue(); // as if its lease were over
    ClaimedDelivery second = claimDue(Map.of(), 4, 10).get(0);
    assertThat(second.id()).isEqualTo(id);
    assertThat(second.token()).isNotEqualTo(first.token());
    assertThat(deliveries.record(first, DELIVERED)).isFalse();
    assertThat(find(id).state()).isEqualTo("pending");
    assertThat(deliveries.record(second, DELIVERED)).isTrue();
    assertThat(find(id))
        .satisfies(done -> assertThat(done.state()).isEqualTo("delivered"))
        .satisfies(done -> assertThat(done.tries()).isEqualTo(1))
        .satisfies(done -> assertThat(done.nextTryAt()).isNull())
        .satisfies(done -> assertThat(done.finishedAt()).isNotNull());
  }

  @Test
  void aFailedTryIsMadeAgainLater() throws SQLException {
    UUID id = finished("http://a/");
    deliveries.record(
        claimDue(Map.of(), 4, 10).get(0),
        new Result(DeliveryState.PENDING, true, 500, "no", Duration.ofHours(1)));
    assertThat(claimDue(Map.of(), 4, 10)).isEmpty();
    assertThat(find(id))
        .satisfies(tried -> assertThat(tried.tries()).isEqualTo(1))
        .satisfies(tried -> assertThat(tried.lastStatus()).isEqualTo(500))
        .satisfies(tried -> assertThat(tried.lastError()).isEqualTo("no"));
    makeDue();
    ClaimedDelivery again = claimDue(Map.of(), 4, 10).get(0);
    assertThat(again.tries()).isEqualTo(1);
    deliveries.giveBack(again, Duration.ZERO);
    assertThat(claimDue(Map.of(), 4, 10).get(0).tries()).isEqualTo(1);
  }

  @Test
  void goneDisablesTheUrlForItsCallerUntilADeliveryIsResent() throws SQLException {
    UUID first = finished("http://a/gone");
    deliveries.record(
        claimDue(Map.of(), 4, 10).get(0),
        new Result(DeliveryState.DISABLED, true, 410, "gone", null));
    assertThat(reads.disabled(ME, 10))
        .singleElement()
        .satisfies(url -> assertThat(url.url()).isEqualTo("http://a/gone"))
        .satisfies(url -> assertThat(url.deliveryId()).isEqualTo(first));
    assertThat(reads.disabled(Access.toOwn(ProjectNames.DEFAULT, "other"), 10)).isEmpty();
    UUID second = finished("http://a/gone");
    UUID elsewhere = finished("http://a/other");
    assertThat(claimDue(Map.of(), 4, 10))
        .allSatisfy(
            claimed -> assertThat(claimed.disabled()).isEqualTo(claimed.id().equals(second)))
        .extracting(ClaimedDelivery::id)
        .containsExactlyInAnyOrder(second, elsewhere);
    assertThat(resends.resend(first, Access.toOwn(ProjectNames.DEFAULT, "other"))).isFalse();
    assertThat(resends.resend(first, ME)).isTrue();
    assertThat(reads.disabled(ME, 10)).isEmpty();
    assertThat(claimDue(Map.of(), 4, 10))
        .singleElement()
        .satisfies(claimed -> assertThat(claimed.id()).isEqualTo(first))
        .satisfies(claimed -> assertThat(claimed.disabled()).isFalse());
  }

  @Test
  void aResendLeavesATryAloneThatIsBeingMade() throws SQLException {
    UUID id = finished("http://a/");
    ClaimedDelivery claimed = claimDue(Map.of(), 4, 10).get(0);
    assertThat(resends.resend(id, ME)).isTrue();
    assertThat(claimDue(Map.of(), 4, 10)).isEmpty();
    assertThat(deliveries.record(claimed, DELIVERED)).isTrue();
  }

  @Test
  void retentionKeepsAJobUntilItsDeliveryHasEnded() throws SQLException {
    Housekeeping housekeeping = new Housekeeping(database.dataSource());
    UUID before = hooked("http://a/");
    control.cancel(before, ME);
    database.execute(
        "UPDATE errand.jobs SET created_at = now() - interval '9 days', finished_at = now() - interval '9 days'");
    Duration day = Duration.ofDays(1);
    assertThat(housekeeping.removeFinished("cancelled", day, 10)).isZero(); // none is made yet
    deliveries.make(10);
    assertThat(housekeeping.removeFinished("cancelled", day, 10)).isZero();
    UUID id = reads.ofJob(before, ME).get(0).id();
    deliveries.record(claimDue(Map.of(), 4, 10).get(0), DELIVERED);
    resends.resend(id, ME);
    assertThat(housekeeping.removeFinished("cancelled", day, 10)).isZero();
    deliveries.record(claimDue(Map.of(), 4, 10).get(0), DELIVERED);
    assertThat(housekeeping.removeFinished("cancelled", day, 10)).isEqualTo(1);
    assertThat(database.value("SELECT count(*) FROM errand.webhook_deliveries")).isEqualTo("0");
    assertThat(resends.resend(id, ME)).isFalse();
  }

  @Test
  void aListGoesOnWhereAPageEnded() throws SQLException {
    List<UUID> all = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      all.add(0, finished("http://a/" + i));
    }
    List<UUID> read = new ArrayList<>();
    DeliveryReads.Position after = null;
    List<Delivery> page = reads.list(ME, "pending", null, 2);
    while (!page.isEmpty()) {
      page.forEach(delivery -> read.add(delivery.id()));
      Delivery last = page.get(page.size() - 1);
      after = new DeliveryReads.Position(last.createdAt(), last.id());
      page = reads.list(ME, null, after, 2);
    }
    assertThat(read).isEqualTo(all);
    assertThat(reads.list(Access.toOwn(ProjectNames.DEFAULT, "other"), null, null, 9)).isEmpty();
    assertThat(reads.list(ME, "failed", null, 9)).isEmpty();
  }

  @Test
  void verifyHistorySeesEachWayToLoseADelivery() throws SQLException {
    UUID due = hooked("http://a/due");
    control.cancel(due, ME);
    assertThat(violations()).isEmpty();
    UUID made = jobOf(finished("http://a/made"));
    for (ClaimedDelivery delivery : claimDue(Map.of(), 9, 9)) {
      assertThat(deliveries.record(delivery, DELIVERED)).isTrue();
    }
    UUID waits = jobOf(finished("http://a/waits"));
    assertThat(violations()).isEmpty();
    for (String change :
        List.of(
            "DELETE FROM errand.webhook_deliveries WHERE job_id = '" + made + "'",
            "DELETE FROM errand.webhook_deliveries WHERE job_id = '" + waits + "'",
            "UPDATE errand.jobs SET on_finish_state = 'done' WHERE id = '" + waits + "'",
            "UPDATE errand.jobs SET on_finish_state = 'pending' WHERE id = '" + made + "'",
            "UPDATE errand.webhook_deliveries SET last_status = 500 WHERE state = 'delivered'",
            "UPDATE errand.webhook_deliveries SET type = 'io.errand.job.failed'",
            "UPDATE errand.webhook_deliveries SET url = 'http://b/' WHERE state = 'pending'")) {
      assertThat(violationsAfter(change)).as(change).isNotEmpty();
    }
    assertThat(violations()).isEmpty();
  }

  private UUID jobOf(UUID delivery) throws SQLException {
    return UUID.fromString(
        database.value(
            "SELECT job_id FROM errand.webhook_deliveries WHERE id = '" + delivery + "'"));
  }

  private List<String> violations() throws SQLException {
    return violationsAfter("SELECT 1");
  }

  /** The tables are as before afterwards. */
  private List<String> violationsAfter(String change) throws SQLException {
    database.execute(
        "CREATE TABLE IF NOT EXISTS kept_deliveries AS TABLE errand.webhook_deliveries");
    database.execute(
        "CREATE TABLE IF NOT EXISTS kept_states AS SELECT id, on_finish_state FROM errand.jobs");
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(change);
      return HistoryCheck.check(connection, false).violations().stream()
          .filter(one -> one.rule().equals("W1 no delivery is lost"))
          .map(HistoryCheck.Violation::detail)
          .toList();
    } finally {
      database.execute(
          "TRUNCATE errand.webhook_deliveries;"
              + " INSERT INTO errand.webhook_deliveries SELECT * FROM kept_deliveries;"
              + " UPDATE errand.jobs j SET on_finish_state = k.on_finish_state FROM kept_states k"
              + " WHERE k.id = j.id; DROP TABLE kept_deliveries, kept_states");
    }
  }
}
