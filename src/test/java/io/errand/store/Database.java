package io.errand.store;

import static org.awaitility.Awaitility.await;

import io.errand.embedded.EmbeddedPostgres;
import io.errand.store.workers.WorkerStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.postgresql.ds.PGSimpleDataSource;

/** The built-in PostgreSQL with the product's schema, started once for all tests of this JVM. */
public final class Database {
  private static final Database ONE = start();

  private final EmbeddedPostgres postgres;
  private final PGSimpleDataSource dataSource = new PGSimpleDataSource();

  private Database(EmbeddedPostgres postgres) {
    this.postgres = postgres;
    dataSource.setUrl(postgres.jdbcUrl());
    dataSource.setUser(EmbeddedPostgres.ROLE);
    dataSource.setPassword(postgres.password());
    dataSource.setOptions(
        // as the pool of the queue has it
        "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off");
  }

  private static Database start() {
    try {
      Path home = Files.createTempDirectory("errand-store-test");
      Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
      EmbeddedPostgres postgres = EmbeddedPostgres.start(home, 100);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    try {
                      postgres.close();
                      delete(home);
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  }));
      Database database = new Database(postgres);
      Flyway.configure()
          .dataSource(database.dataSource)
          .schemas("errand")
          .defaultSchema("errand")
          .locations("db/migration")
          .load()
          .migrate();
      return database;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /**
   * How many rows and entries of indexes of jobs and their dependencies have been read since the
   * start. Sessions say so when they end; this waits until none is left.
   */
  public long rowsRead() throws SQLException {
    await()
        .atMost(Duration.ofMinutes(2))
        .until(
            () ->
                value(
                        "SELECT count(*) FROM pg_stat_activity"
                            + " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
                    .equals("0"));
    return Long.parseLong(
        value(
            "SELECT (SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables"
                + " WHERE relname IN ('jobs', 'job_dependencies'))"
                + " + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes"
                + " WHERE relname IN ('jobs', 'job_dependencies'))"));
  }

  /** Empty tables. */
  public static Database emptied() throws SQLException {
    ONE.execute(
        "TRUNCATE errand.jobs, errand.job_dependencies, errand.job_events, errand.queue_counts, errand.attempts, errand.idempotency_keys, errand.workers,"
            + " errand.queues, errand.queue_events, errand.circuit_counts, errand.removed_jobs, errand.schedules, errand.schedule_ticks,"
            + " errand.operations, errand.operation_jobs, errand.webhook_deliveries, errand.disabled_webhooks, errand.queue_depths");
    return ONE;
  }

  public WorkerStore workers() {
    return new WorkerStore(dataSource, config());
  }

  /** Reads of one project, which the database confines to it. */
  public ProjectReads projectReads() {
    return new ProjectReads(dataSource);
  }

  public DataSource dataSource() {
    return dataSource;
  }

  StoreConfig config() {
    return new StoreConfig() {
      @Override
      public String databaseUrl() {
        return postgres.jdbcUrl();
      }

      @Override
      public Optional<String> databaseUser() {
        return Optional.of(EmbeddedPostgres.ROLE);
      }

      @Override
      public Optional<String> databasePassword() {
        return Optional.of(postgres.password());
      }
    };
  }

  /**
   * Queued jobs, each of which may be claimed a microsecond after the one before it.
   *
   * @param queue its name, in which a number sign stands for the number of the job, from 1
   * @param runAt an expression of SQL
   */
  public void fill(int count, String queue, int priority, String runAt) throws SQLException {
    execute(
        """
        INSERT INTO errand.jobs (id, state, queue, priority, command, max_attempts, run_at,
            principal, timeout_seconds, kill_grace_seconds, stdout_limit_bytes, stderr_limit_bytes,
            success_exit_codes, on_lost, backoff, retry, fingerprint, attempt, charged_attempts)
        SELECT gen_random_uuid(), 'queued', replace('%s', '#', i::text), %d, '{true}', 3, %s + i * interval '1 us',
            'tester', 60, 1, 100, 100, '{0}', 'retry',
            '{"base_seconds":1,"factor":2,"max_seconds":60,"jitter":"full"}', '[]', '\\xab', 0, 0
        FROM generate_series(1, %d) AS s (i)
        """
            .formatted(queue, priority, runAt, count));
  }

  public int execute(String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      return statement.executeUpdate(sql);
    }
  }

  /** The first column of the first row, as text; empty where there is no row or it is null. */
  public String value(String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      String value = rows.next() ? rows.getString(1) : null;
      return value == null ? "" : value;
    }
  }
}
