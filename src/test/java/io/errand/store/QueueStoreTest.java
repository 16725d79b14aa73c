package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.ProjectNames;
import io.errand.store.queues.QueueReads;
import io.errand.store.queues.QueueReads.Event;
import io.errand.store.queues.QueueSettings;
import io.errand.store.queues.QueueSettings.Circuit;
import io.errand.store.queues.QueueSettings.OnOverload;
import io.errand.store.queues.QueueStatus;
import io.errand.store.queues.QueueStore;
import io.errand.store.queues.QueueStore.Change;
import io.errand.store.queues.QueueStore.Order;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Settings of queues: changed by one at a time, written down, and shown. */
class QueueStoreTest extends StoreFixture {
  private static final Circuit CIRCUIT = Circuit.standard(0.5);

  private QueueStore store;
  private QueueReads reads;

  @BeforeEach
  void make() {
    store = new QueueStore(database.dataSource());
    reads = new QueueReads(database.projectReads());
  }

  private static QueueSettings with(
      QueueSettings now, @Nullable Integer maxRunning, @Nullable Circuit circuit) {
    return new QueueSettings(
        now.paused(),
        maxRunning,
        now.ratePerSecond(),
        now.burst(),
        now.weight(),
        now.defaults(),
        now.maxDepth(),
        now.maxReadyAgeSeconds(),
        now.overload(),
        now.holdAfterLostWorkers(),
        circuit,
        now.policy());
  }

  private static QueueSettings full() {
    return new QueueSettings(
        true,
        3,
        2.5,
        7.0,
        0.5,
        PolicyJson.read("{\"timeout_seconds\":60}"),
        100L,
        9.5,
        OnOverload.WARN,
        2,
        new Circuit(0.25, 30, 5, List.of("lost", "timeout"), 1.5, 90),
        PolicyJson.read("{\"executables\":[\"/bin/true\"],\"sandbox_required\":true}"));
  }

  private void set(QueueSettings to, @Nullable Order order) throws SQLException {
    assertThat(store.change("q", "client tester", now -> new Change(to, order))).isTrue();
  }

  private QueueStatus status() throws SQLException {
    return reads.queue("q").orElseThrow();
  }

  private QueueStatus.CircuitNow circuit() throws SQLException {
    return Objects.requireNonNull(status().circuit());
  }

  private List<String> events() throws SQLException {
    return reads.events("q", Long.MAX_VALUE, 100).stream()
        .map(event -> event.event() + " by " + event.actor() + ": " + event.detail())
        .toList();
  }

  @Test
  void everySettingIsStoredAndShownAndAnEventSaysWhatChanged() throws SQLException {
    set(full(), null);
    assertThat(status().settings()).isEqualTo(full());
    assertThat(status().circuit())
        .isEqualTo(new QueueStatus.CircuitNow("closed", false, null, null, 0, 0, 0));
    assertThat(status().tokens()).isEqualTo(7);
    assertThat(events()).hasSize(1);
    assertThat(events().get(0))
        .startsWith("settings_changed by client tester: burst: none to 7; ")
        .contains("; defaults.timeout_seconds: none to 60; ")
        .contains("; max_running: none to 3; ")
        .contains("; paused: false to true; ")
        .contains("; weight: 1 to 0.5");
    set(full(), null);
    assertThat(events()).hasSize(1); // nothing changed
    set(QueueSettings.NONE, null);
    assertThat(status().settings()).isEqualTo(QueueSettings.NONE);
    assertThat(status().circuit()).isNull();
    assertThat(events().get(0)).contains("max_running: 3 to none");
  }

  @Test
  void whatIsThrownLeavesNothingBehind() throws SQLException {
    assertThatThrownBy(
            () ->
                store.change(
                    "q",
                    "client tester",
                    now -> {
                      throw new IllegalArgumentException("no");
                    }))
        .hasMessage("no");
    assertThat(reads.queue("q")).isEmpty();
    assertThat(reads.events("q", Long.MAX_VALUE, 9)).isEmpty();
  }

  @Test
  void changesAtTheSameTimeLoseNothing() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      List<Future<Boolean>> changes = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        changes.add(
            threads.submit(
                () ->
                    store.change(
                        "q",
                        "client tester",
                        now -> {
                          Integer before = now.maxRunning();
                          return new Change(with(now, before == null ? 1 : before + 1, null), null);
                        })));
      }
      for (Future<Boolean> change : changes) {
        assertThat(change.get()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(status().settings().maxRunning()).isEqualTo(40);
    assertThat(events()).hasSize(40);
  }

  @Test
  void aCircuitIsOpenedAndClosedByHandAndForgetsItsCountsThen() throws SQLException {
    QueueSettings on = with(QueueSettings.NONE, null, CIRCUIT);
    set(on, null);
    database.execute(
        "INSERT INTO errand.circuit_counts VALUES ('q', now() - interval '1 second', 10, 4),"
            + " ('q', now() - interval '2 hours', 100, 90), ('other', now(), 7, 7)");
    assertThat(circuit().attempts()).isEqualTo(10);
    assertThat(circuit().failures()).isEqualTo(4);
    set(on, Order.OPEN);
    set(on, Order.OPEN);
    assertThat(circuit().state()).isEqualTo("open");
    assertThat(circuit().openedByHand()).isTrue();
    assertThat(circuit().nextProbeAt()).isNull();
    assertThat(circuit().changedAt()).isNotNull();
    assertThat(database.value("SELECT errand.queue_room('q', 5, false)")).isEqualTo("0");
    set(on, Order.CLOSE);
    set(on, Order.CLOSE);
    assertThat(circuit().state()).isEqualTo("closed");
    assertThat(circuit().attempts()).isZero();
    assertThat(database.value("SELECT string_agg(queue, ',') FROM errand.circuit_counts"))
        .isEqualTo("other");
    assertThat(database.value("SELECT errand.queue_room('q', 5, false)")).isEqualTo("5");
    assertThat(events())
        .hasSize(3)
        .startsWith(
            "circuit_closed by client tester: by hand", "circuit_opened by client tester: by hand");
  }

  @Test
  void anOpenCircuitThatIsTurnedOffIsClosed() throws SQLException {
    QueueSettings on = with(QueueSettings.NONE, null, CIRCUIT);
    set(on, Order.OPEN);
    set(QueueSettings.NONE, null);
    assertThat(status().circuit()).isNull();
    assertThat(database.value("SELECT circuit_state FROM errand.queues")).isEqualTo("closed");
    assertThat(events().get(0)).startsWith("circuit_closed by client tester: the circuit breaker");
  }

  @Test
  void anotherRateKeepsTheTokensThatWereLeft() throws SQLException {
    QueueSettings slow =
        new QueueSettings(
            false,
            null,
            0.000001,
            5.0,
            1,
            QueueSettings.NONE.defaults(),
            null,
            null,
            OnOverload.REFUSE,
            null,
            null,
            null);
    set(slow, null);
    database.execute("UPDATE errand.queues SET tokens = 2, tokens_at = clock_timestamp()");
    set(with(slow, 9, null), null);
    assertThat(status().tokens()).isBetween(2.0, 2.1);
  }

  @Test
  void eventsGoByPagesAndOldOnesAreForgotten() throws SQLException {
    for (int i = 1; i <= 7; i++) {
      set(with(QueueSettings.NONE, i, null), null);
    }
    List<Event> first = reads.events("q", Long.MAX_VALUE, 3);
    List<Event> second = reads.events("q", first.get(2).id(), 10);
    assertThat(first).extracting(Event::detail).startsWith("max_running: 6 to 7");
    assertThat(second).hasSize(4);
    database.execute(
        "UPDATE errand.queue_events SET at = at - interval '31 days' WHERE id < "
            + first.get(0).id());
    assertThat(store.forgetEvents(30, 4)).isEqualTo(4);
    assertThat(store.forgetEvents(30, 4)).isEqualTo(2);
    assertThat(store.forgetEvents(30, 4)).isZero();
    assertThat(events()).hasSize(1);
  }

  @Test
  void queuesWithJobsOrSettingsAreListedByName() throws SQLException {
    submit();
    set(QueueSettings.NONE, null);
    assertThat(reads.queues(ProjectNames.DEFAULT, 10))
        .extracting(QueueStatus::name)
        .containsExactly("default", "q");
    assertThat(reads.queues(ProjectNames.DEFAULT, 1))
        .extracting(QueueStatus::name)
        .containsExactly("default");
    QueueStatus jobs = reads.queue("default").orElseThrow();
    assertThat(jobs.counts()).containsEntry("queued", 1L).containsEntry("running", 0L);
    assertThat(jobs.oldestReadySeconds()).isNotNull();
    assertThat(jobs.settings()).isEqualTo(QueueSettings.NONE);
  }

  @Test
  void noMoreQueuesHaveRulesThanEachProcessKeepsInMemory() throws SQLException {
    database.execute(
        "INSERT INTO errand.queues (name, max_depth) SELECT 'm' || i, 5 FROM generate_series(1, "
            + QueueStore.MOST_WITH_RULES
            + ") AS s (i)");
    assertThat(store.change("q", "client tester", now -> new Change(full(), null))).isFalse();
    assertThat(reads.queue("q")).isEmpty();
    set(with(QueueSettings.NONE, 3, CIRCUIT), null); // that is no rule for submits
    database.execute(
        "UPDATE errand.queues SET max_depth = NULL, defaults = CASE WHEN name = 'm1' THEN"
            + " jsonb_build_object('on_lost', repeat('x', "
            + QueueStore.MOST_DEFAULTS
            + ")) ELSE '{}' END");
    assertThat(store.change("q", "client tester", now -> new Change(full(), null))).isFalse();
  }

  @Test
  void noProjectTakesTheRulesOfQueuesOfAllOthers() throws SQLException {
    database.execute(
        "INSERT INTO errand.queues (name, max_depth) SELECT 'b/m' || i, 5 FROM generate_series(1, "
            + QueueStore.MOST_WITH_RULES_OF_PROJECT
            + ") AS s (i)");
    assertThat(store.change("b/q", "client tester", now -> new Change(full(), null))).isFalse();
    assertThat(store.change("c/q", "client tester", now -> new Change(full(), null))).isTrue();
    assertThat(store.change("q", "client tester", now -> new Change(full(), null))).isTrue();
    database.execute(
        "UPDATE errand.queues SET max_depth = NULL, defaults = CASE WHEN name = 'b/m1' THEN"
            + " jsonb_build_object('on_lost', repeat('x', "
            + QueueStore.MOST_DEFAULTS_OF_PROJECT
            + ")) ELSE '{}' END");
    assertThat(store.change("b/q", "client tester", now -> new Change(full(), null))).isFalse();
    assertThat(store.change("q", "client tester", now -> new Change(full(), null))).isTrue();
  }
}
