package io.errand.meters;

import static io.errand.meters.Kind.COUNTER;
import static io.errand.meters.Kind.GAUGE;
import static io.errand.meters.Kind.HISTOGRAM;
import static io.errand.meters.Kind.SUMMARY;
import static io.errand.meters.Scope.DATABASE;
import static io.errand.meters.Scope.PROCESS;
import static io.errand.meters.Scope.WORKER;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * What is measured. A meter is registered by the methods here only; they take the values of its
 * labels in the order of the list. Names follow Prometheus: base units, counters end in {@code
 * _total}. The values of every label have a bound.
 */
public enum Metric {
  SLOTS(WORKER, GAUGE, "errand_slots", "commands that this worker can run at once"),
  SLOTS_BUSY(WORKER, GAUGE, "errand_slots_busy", "slots that have a command"),
  CLAIMS_WAITING(
      WORKER, GAUGE, "errand_claims_waiting", "claims of this worker that wait for a slot"),
  SHORT_OF_MEMORY(
      WORKER,
      GAUGE,
      "errand_slots_short_of_memory",
      "1 while jobs are ready and slots free, and there is no memory for them"),
  CLAIMS(WORKER, COUNTER, "errand_claims_total", "jobs claimed by this worker", "queue"),
  CLAIMS_LOST(
      WORKER,
      COUNTER,
      "errand_claims_lost_total",
      "results dropped: the claim was another worker's"),
  ATTEMPTS(
      WORKER,
      COUNTER,
      "errand_attempts_total",
      "attempts that ended on this worker, by outcome",
      "outcome",
      "queue"),
  JOB_WAIT(
      WORKER,
      HISTOGRAM,
      "errand_job_wait_seconds",
      "from when a job could run until it was claimed",
      "queue"),
  ATTEMPT_START(
      WORKER,
      HISTOGRAM,
      "errand_attempt_start_seconds",
      "from when a claim arrived until its command was started"),
  ATTEMPT_RUN(
      WORKER, HISTOGRAM, "errand_attempt_run_seconds", "from start to end of a command", "queue"),
  OUTPUT_BYTES(
      WORKER, COUNTER, "errand_output_bytes_total", "bytes that commands have printed", "stream"),
  OUTPUT_DROPPED_BYTES(
      WORKER,
      COUNTER,
      "errand_output_dropped_bytes_total",
      "bytes that commands have printed and that were not kept",
      "stream"),
  LEASE_REMAINING(
      WORKER,
      GAUGE,
      "errand_lease_remaining_seconds",
      "until this worker ends its commands unless a heartbeat is confirmed; 0 without a lease"),
  LEASES_LOST(WORKER, COUNTER, "errand_leases_lost_total", "times that this worker lost its lease"),
  HEARTBEATS_FAILED(WORKER, COUNTER, "errand_heartbeats_failed_total", "heartbeats that failed"),
  GUARDIAN_RESTARTS(
      WORKER, COUNTER, "errand_guardian_restarts_total", "times that the guardian was replaced"),
  TURN(
      WORKER,
      HISTOGRAM,
      "errand_database_turn_seconds",
      "one statement that stores completions and claims jobs"),
  TURN_ROWS(
      WORKER,
      COUNTER,
      "errand_database_turn_rows_total",
      "rows of these statements: `completed` or `claimed`",
      "kind"),
  TURNS_FAILED(
      WORKER, COUNTER, "errand_database_turns_failed_total", "such statements that failed"),
  NOTIFICATIONS_MISSED(
      WORKER,
      COUNTER,
      "errand_notifications_missed_total",
      "polls that found jobs which no notification had told of: those that became due by time, and"
          + " lost notifications"),
  WEBHOOK_TRIES(
      WORKER,
      COUNTER,
      "errand_webhook_tries_total",
      "tries of webhooks, by what followed: `delivered`, `retried`, `failed`, `disabled`",
      "outcome"),
  WEBHOOK_SENDING(WORKER, GAUGE, "errand_webhook_sending", "webhooks that are being sent now"),

  REQUESTS(
      PROCESS,
      SUMMARY,
      "http_server_requests_seconds",
      "requests but health checks, metrics and the API's description. `uri` is the route, such as"
          + " `/v1/jobs/{id}`; unknown methods and routes are `UNKNOWN`",
      "method",
      "uri",
      "status",
      "outcome"),
  CONNECTIONS(PROCESS, GAUGE, "errand_http_connections", "connections that are open"),
  CONNECTIONS_EVICTED(
      PROCESS,
      COUNTER,
      "errand_http_connections_evicted_total",
      "connections that were closed to make room for others"),
  CONNECTIONS_REFUSED(
      PROCESS, COUNTER, "errand_http_connections_refused_total", "connections that found no room"),
  CALLERS_LIMITED(
      PROCESS,
      COUNTER,
      "errand_callers_limited_total",
      "requests above a bound of their caller: `rate` (`ERRAND_RATE_PER_SECOND`) or `waits`"
          + " (`ERRAND_MAX_WAITS`)",
      "limit"),
  SUBMITS_OVERLOADED(
      PROCESS,
      COUNTER,
      "errand_submits_overloaded_total",
      "new jobs that met a limit of their queue or of the database. `limit` is `max_depth`,"
          + " `max_ready_age_seconds`, `open_transaction` or `dead_rows`; `answer` is `refused` or"
          + " `warned`",
      "limit",
      "answer"),
  MEMORY_USED(
      PROCESS,
      GAUGE,
      "errand_memory_budget_used_bytes",
      "bytes of heap that are reserved",
      "share"),
  MEMORY_CAPACITY(
      PROCESS,
      GAUGE,
      "errand_memory_budget_capacity_bytes",
      "bytes of heap that can be reserved",
      "share"),
  HOME_FREE(
      PROCESS,
      GAUGE,
      "errand_home_free_bytes",
      "free space of the fullest file system that this server writes to"),
  HOME_SHORT(
      PROCESS, GAUGE, "errand_home_short", "1 while jobs are refused because disk space is short"),
  NOTIFICATIONS_RECEIVED(
      PROCESS,
      COUNTER,
      "errand_notifications_received_total",
      "notifications of the database that have arrived, by topic",
      "topic"),
  NOTIFICATIONS_SENT(
      PROCESS,
      COUNTER,
      "errand_notifications_sent_total",
      "statements that only sent notifications"),
  LISTENING(
      PROCESS,
      GAUGE,
      "errand_notifications_listening",
      "1 while this process listens for notifications; else it polls"),
  POOL_CONNECTIONS(
      PROCESS,
      GAUGE,
      "errand_database_pool_connections",
      "connections of a pool: `active` or `idle`. `pool` is `reads` or `queue`",
      "pool",
      "state"),
  POOL_MAX(
      PROCESS,
      GAUGE,
      "errand_database_pool_max_connections",
      "connections that the pool may have",
      "pool"),
  POOL_WAITING(
      PROCESS, GAUGE, "errand_database_pool_waiting", "threads that wait for a connection", "pool"),
  RETENTION_REMOVED(
      PROCESS,
      COUNTER,
      "errand_retention_removed_total",
      "finished jobs that this process removed because they were old enough",
      "state"),
  RETENTION_FAILED(
      PROCESS, COUNTER, "errand_retention_failed_total", "runs of the retention that failed"),
  WORKERS_LOST(
      PROCESS,
      COUNTER,
      "errand_workers_lost_total",
      "workers that this process gave up because their heartbeat was too old"),
  CHILDREN(
      PROCESS,
      GAUGE,
      "errand_process_children",
      "child processes of this server: `running` or `zombie`",
      "state"),
  LOG_LINES_LEFT_OUT(
      PROCESS,
      COUNTER,
      "errand_log_lines_left_out_total",
      "lines of the log that repeated another within ten seconds and were left out"),
  SPANS(
      PROCESS,
      COUNTER,
      "errand_spans_total",
      "spans of traces that were given to their receiver: `exported` or `failed`",
      "result"),

  DATABASE_UP(
      DATABASE, GAUGE, "errand_database_up", "1 if the last reading of the database succeeded"),
  DATABASE_READ(
      DATABASE,
      SUMMARY,
      "errand_database_read_seconds",
      "how long these readings took, this process's own"),
  JOBS(
      DATABASE,
      GAUGE,
      "errand_jobs",
      "jobs by queue and state. Finished ones count until retention removes them",
      "queue",
      "state"),
  READY_OLDEST_AGE(
      DATABASE,
      GAUGE,
      "errand_ready_oldest_age_seconds",
      "how long the oldest job has waited that could run; 0 where none does",
      "queue"),
  QUEUE_PAUSED(DATABASE, GAUGE, "errand_queue_paused", "1 while the queue is paused", "queue"),
  QUEUE_TOKENS(
      DATABASE,
      GAUGE,
      "errand_queue_rate_tokens",
      "tokens of the rate limit of a queue that has one: below 1 its jobs wait for it",
      "queue"),
  QUEUE_CIRCUIT(
      DATABASE,
      GAUGE,
      "errand_queue_circuit",
      "1 for the state that the circuit breaker of a queue is in (`closed`, `open`, `half_open`), 0"
          + " for the others",
      "queue",
      "state"),
  WORKERS_LIVE(DATABASE, GAUGE, "errand_workers_live", "workers that hold a lease"),
  WORKERS_STALLED(
      DATABASE,
      GAUGE,
      "errand_workers_stalled",
      "of these, workers that claim nothing because of a fault of their host"),
  SCHEDULES_LATE(
      DATABASE,
      GAUGE,
      "errand_schedules_late",
      "schedules whose next tick is more than a minute past"),
  WEBHOOKS_PENDING(
      DATABASE,
      GAUGE,
      "errand_webhooks_pending",
      "webhooks that are still to be delivered; counted up to 10,000"),
  OLDEST_TRANSACTION(
      DATABASE,
      GAUGE,
      "errand_database_oldest_transaction_seconds",
      "age of the oldest transaction that keeps dead rows from being removed"),
  DEAD_ROWS(
      DATABASE,
      GAUGE,
      "errand_database_dead_rows",
      "dead rows of the table of jobs, by PostgreSQL's statistics"),
  DATABASE_CONNECTIONS(
      DATABASE, GAUGE, "errand_database_connections", "connections of clients of PostgreSQL"),
  DATABASE_CONNECTIONS_MAX(
      DATABASE, GAUGE, "errand_database_max_connections", "connections that PostgreSQL allows");

  private final Scope scope;
  private final Kind kind;
  private final String prometheus;
  private final String id;
  private final String unit;
  private final String meaning;
  private final List<String> labels;

  Metric(Scope scope, Kind kind, String prometheus, String meaning, String... labels) {
    this.scope = scope;
    this.kind = kind;
    this.prometheus = prometheus;
    this.meaning = meaning;
    this.labels = List.of(labels);
    // The registry adds what stands behind these again.
    String base = kind == COUNTER ? prometheus.replaceFirst("_total$", "") : prometheus;
    this.unit =
        kind == HISTOGRAM || kind == SUMMARY || base.endsWith("_seconds")
            ? "seconds"
            : base.endsWith("_bytes") ? "bytes" : "";
    this.id = (unit.isEmpty() ? base : base.replaceFirst("_" + unit + "$", "")).replace('_', '.');
  }

  /** Its name for Prometheus, without {@code _bucket}, {@code _count} and {@code _sum}. */
  public String prometheusName() {
    return prometheus;
  }

  /** The names of its labels, in the order in which their values are given. */
  public List<String> labels() {
    return labels;
  }

  /** The word that Prometheus has for what it is. */
  public String type() {
    return kind.word();
  }

  /** What grows from zero, one at a time. */
  public Counter counter(MeterRegistry registry, String... values) {
    return Counter.builder(id)
        .description(meaning)
        .baseUnit(unit.isEmpty() ? null : unit)
        .tags(tags(COUNTER, values))
        .register(registry);
  }

  /** What grows from zero and is counted elsewhere. */
  public <T> void counts(
      MeterRegistry registry, T object, ToDoubleFunction<T> count, String... values) {
    FunctionCounter.builder(id, object, count)
        .description(meaning)
        .tags(tags(COUNTER, values))
        .register(registry);
  }

  /** What is read at each scrape; it must be cheap. */
  public void gauge(MeterRegistry registry, Supplier<Number> value, String... values) {
    Gauge.builder(id, value)
        .description(meaning)
        .baseUnit(unit.isEmpty() ? null : unit)
        .tags(tags(GAUGE, values))
        .register(registry);
  }

  /** Gauges of which some come and go. */
  public MultiGauge gauges(MeterRegistry registry) {
    return MultiGauge.builder(id)
        .description(meaning)
        .baseUnit(unit.isEmpty() ? null : unit)
        .register(registry);
  }

  /** One of them. */
  public MultiGauge.Row<?> row(Supplier<Number> value, String... values) {
    return MultiGauge.Row.of(tags(GAUGE, values), value);
  }

  /** What takes time. */
  public Timer timer(MeterRegistry registry, String... values) {
    if (kind != HISTOGRAM && kind != SUMMARY) {
      throw new IllegalStateException(prometheus + " is a " + kind.word());
    }
    Timer.Builder builder = Timer.builder(id).description(meaning).tags(tags(kind, values));
    return (kind == HISTOGRAM ? builder.serviceLevelObjectives(Kind.buckets()) : builder)
        .register(registry);
  }

  private Tags tags(Kind wanted, String... values) {
    if (kind != wanted) {
      throw new IllegalStateException(prometheus + " is a " + kind.word());
    }
    if (values.length != labels.size()) {
      throw new IllegalStateException(prometheus + " has the labels " + labels);
    }
    List<Tag> tags = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      tags.add(Tag.of(labels.get(i), values[i]));
    }
    return Tags.of(tags);
  }

  /** The word for the processes that have it. */
  String of() {
    return scope.word;
  }

  String meaning() {
    return meaning;
  }
}
