import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.jobrunr.configuration.JobRunr;
import org.jobrunr.jobs.lambdas.JobLambda;
import org.jobrunr.server.BackgroundJobServerConfiguration;
import org.jobrunr.storage.sql.postgres.PostgresStorageProvider;

/** The Java peers: preload, then drain with 8 commands at a time; exit code and output stored. */
public final class Peers {
  private static HikariDataSource pool;
  private static CountDownLatch left;

  /** usage: Peers dbscheduler|jobrunr JDBC-URL COUNT; prints jobs a second. */
  public static void main(String... arguments) throws Exception {
    int count = Integer.parseInt(arguments[2]);
    left = new CountDownLatch(count);
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(arguments[1]);
    config.setMaximumPoolSize(12);
    pool = new HikariDataSource(config);
    execute("CREATE TABLE IF NOT EXISTS results (exit_code int, output text)");
    long begun = arguments[0].equals("jobrunr") ? jobRunr(count) : dbScheduler(count);
    left.await();
    System.out.printf("%.0f%n", count / ((System.nanoTime() - begun) / 1e9));
    System.exit(0);
  }

  private static long dbScheduler(int count) throws Exception {
    execute(
        "CREATE TABLE scheduled_tasks (task_name text NOT NULL, task_instance text NOT NULL, task_data bytea,"
            + " execution_time timestamptz NOT NULL, picked boolean NOT NULL, picked_by text,"
            + " last_success timestamptz, last_failure timestamptz, consecutive_failures int,"
            + " last_heartbeat timestamptz, version bigint NOT NULL, priority smallint,"
            + " PRIMARY KEY (task_name, task_instance));"
            + "CREATE INDEX ON scheduled_tasks (execution_time); CREATE INDEX ON scheduled_tasks (last_heartbeat);");
    execute(
        "INSERT INTO scheduled_tasks (task_name, task_instance, execution_time, picked, version)"
            + " SELECT 'echo', i::text, now(), false, 1 FROM generate_series(1, " + count + ") AS s (i)");
    OneTimeTask<Void> echo = Tasks.oneTime("echo").execute((instance, context) -> run());
    Scheduler scheduler =
        Scheduler.create(pool, echo)
            .threads(8)
            .pollUsingLockAndFetch(4.0, 20.0)
            .pollingInterval(Duration.ofMillis(100))
            .build();
    long begun = System.nanoTime();
    scheduler.start();
    return begun;
  }

  private static long jobRunr(int count) {
    var storage = new PostgresStorageProvider(pool);
    var scheduler = JobRunr.configure().useStorageProvider(storage).initialize().getJobScheduler();
    scheduler.enqueue(IntStream.range(0, count).boxed(), i -> Peers.run());
    long begun = System.nanoTime();
    JobRunr.configure()
        .useStorageProvider(storage)
        .useBackgroundJobServer(
            BackgroundJobServerConfiguration.usingStandardBackgroundJobServerConfiguration()
                .andWorkerCount(8)
                .andPollInterval(Duration.ofSeconds(5)))
        .initialize();
    return begun;
  }

  /** The work. */
  public static void run() {
    try {
      Process process = new ProcessBuilder("/bin/echo", "hello").start();
      String output = new String(process.getInputStream().readAllBytes());
      int code = process.waitFor();
      try (Connection connection = pool.getConnection();
          PreparedStatement insert = connection.prepareStatement("INSERT INTO results VALUES (?, ?)")) {
        insert.setInt(1, code);
        insert.setString(2, output);
        insert.executeUpdate();
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    } finally {
      left.countDown();
    }
  }

  private static void execute(String sql) throws Exception {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
