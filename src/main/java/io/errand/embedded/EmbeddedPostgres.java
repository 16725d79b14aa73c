package io.errand.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL of our own in {@code HOME/data}: durable, on loopback only, behind a password that
 * stands in {@code HOME/pgpass}.
 */
public final class EmbeddedPostgres implements AutoCloseable {
  /** The role that owns everything. */
  public static final String ROLE = "errand";

  /** The database that initdb makes; all objects of Errand are in its schema errand. */
  public static final String DATABASE = "postgres";

  private static final int START_TRIES = 5;
  private static final int FEWEST_CONNECTIONS = 200;
  private static final int SPARE_CONNECTIONS = 100; // for psql, other servers, whoever fills it
  private static final int START_SECONDS = 120; // recovery after a crash may take its time

  private final Path home;
  private final Path data;
  private final Postmaster postmaster;
  private final String password;
  private volatile boolean closed;
  private final int port;
  private final int kept;

  private EmbeddedPostgres(Path home, Path data, String password, int port, int kept) {
    this.home = home;
    this.data = data;
    this.postmaster = new Postmaster(data);
    this.password = password;
    this.port = port;
    this.kept = kept;
  }

  /**
   * Starts the database of a data directory, made if it is missing. What an earlier server left
   * running there is stopped first. The caller holds the {@link HomeLock}.
   *
   * @param home an absolute path of an existing directory
   * @param kept how many connections the caller keeps open; there is room for at least 100 more
   * @throws IllegalStateException with a sentence for people, if it does not start
   */
  public static EmbeddedPostgres start(Path home, int kept)
      throws IOException, InterruptedException {
    Path data = home.resolve("data");
    Account account = Account.choose(data);
    checkReachable(home, account);
    Path binaries = Binaries.unpacked(home);
    new Postmaster(data).stop();
    String password = password(home);
    if (!Files.exists(data.resolve("PG_VERSION"))) {
      initialize(home, data, binaries, account, password);
    } else {
      checkMajor(data);
    }
    String complaint = "";
    for (int i = 0; i < START_TRIES; i++) {
      EmbeddedPostgres postgres = new EmbeddedPostgres(home, data, password, freePort(), kept);
      complaint = postgres.launch(binaries, account);
      if (complaint.isEmpty()) {
        return postgres;
      }
      new Postmaster(data).stop();
      TimeUnit.MILLISECONDS.sleep(500); // a dead postmaster may need a moment to be reaped
    }
    throw new IllegalStateException(
        "The built-in database does not start: " + complaint + " (see " + home + "/postgres.log)");
  }

  /**
   * What {@link #start} would refuse before it starts a program. Nothing is made or changed.
   *
   * @param home an absolute path; may be missing
   * @throws IllegalStateException with a sentence for people, if there is something
   * @throws IOException the same
   */
  public static void check(Path home) throws IOException {
    Path data = home.resolve("data");
    Account account = Account.choose(data);
    Path parent = home.getParent(); // what is missing is made so that others can pass
    while (parent != null && !Files.exists(parent)) {
      parent = parent.getParent();
    }
    if (account.isBorrowed()) {
      OwnProcess.tool("setpriv");
      checkReachable(parent, account);
    }
    if (Files.exists(data.resolve("PG_VERSION"))) {
      checkMajor(data);
    }
  }

  /**
   * How to reach a running one.
   *
   * @param jdbcUrl {@code jdbc:postgresql://…}
   * @param password of {@link #ROLE}
   */
  public record Address(String jdbcUrl, String password) {}

  /**
   * Where the database of this home runs now, by its own word, or empty where none does.
   *
   * @throws IOException if its files cannot be read
   */
  public static Optional<Address> running(Path home) throws IOException {
    Path pid = home.resolve("data").resolve("postmaster.pid"); // line 4 is the port
    if (!Files.exists(pid) || !Files.exists(home.resolve("pgpass"))) {
      return Optional.empty();
    }
    List<String> lines = Files.readAllLines(pid);
    return lines.size() < 4
        ? Optional.empty()
        : Optional.of(new Address(jdbcUrl(lines.get(3).trim()), password(home)));
  }

  /** {@code jdbc:postgresql://…}. */
  public String jdbcUrl() {
    return jdbcUrl(Integer.toString(port));
  }

  /**
   * With SCRAM (RFC 5802) as the only authentication: the server must prove that it knows the
   * password before it is sent a statement, and is never sent the password. After a crash any
   * process of this host may listen on the port.
   */
  private static String jdbcUrl(String port) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + DATABASE + "?requireAuth=scram-sha-256";
  }

  /** The role's password. */
  public String password() {
    return password;
  }

  /** The command line that connects psql. */
  public String psqlLine() {
    String file = home.resolve("pgpass").toString();
    boolean plain = file.matches("[A-Za-z0-9_@%+=:,./-]+");
    return "PGPASSFILE="
        + (plain ? file : "'" + file.replace("'", "'\\''") + "'")
        + " psql -h 127.0.0.1 -p "
        + port
        + " -U "
        + ROLE
        + " "
        + DATABASE;
  }

  /** Whether it has surely ended without a request to stop: killed, or out of disk. */
  public boolean hasEnded() {
    try {
      return !closed && postmaster.pid().isEmpty();
    } catch (IOException e) {
      return false; // a server without descriptors cannot look, and its database goes on
    }
  }

  /** Bounds its log, to which whoever reaches the port can add; to be called now and then. */
  public void boundLog() {
    PostgresLog.bound(home);
  }

  /** Stops it; what it has accepted is on disk either way. */
  @Override
  public void close() throws IOException {
    closed = true;
    try {
      postmaster.stop();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** As root, the borrowed account must be able to reach the directory. */
  private static void checkReachable(@Nullable Path home, Account account) throws IOException {
    if (!account.isBorrowed()) {
      return;
    }
    for (Path folder = home; folder != null; folder = folder.getParent()) {
      if (!Files.getPosixFilePermissions(folder).contains(PosixFilePermission.OTHERS_EXECUTE)) {
        throw new IllegalStateException(
            "PostgreSQL runs as "
                + account.name()
                + ", who may not enter "
                + folder
                + "; chmod o+x it, or set ERRAND_HOME to a directory elsewhere");
      }
    }
  }

  private static void checkMajor(Path data) throws IOException {
    String major = Files.readString(data.resolve("PG_VERSION")).trim();
    String ours = Binaries.version();
    if (!ours.startsWith(major + ".")) {
      throw new IllegalStateException(
          data
              + " was made by PostgreSQL "
              + major
              + " and this build holds "
              + ours
              + "; upgrade it with pg_upgrade, or run the build that made it");
    }
  }

  private static String password(Path home) throws IOException {
    Path file = home.resolve("pgpass");
    if (Files.exists(file)) {
      String line = Files.readString(file).trim();
      return line.substring(line.lastIndexOf(':') + 1);
    }
    byte[] random = new byte[24];
    new SecureRandom().nextBytes(random);
    String password = HexFormat.of().formatHex(random);
    writePrivately(file, "127.0.0.1:*:*:" + ROLE + ":" + password + "\n");
    return password;
  }

  static void writePrivately(Path file, String text) throws IOException {
    Set<PosixFilePermission> ownerOnly = PosixFilePermissions.fromString("rw-------");
    Files.deleteIfExists(file);
    Files.createFile(file, PosixFilePermissions.asFileAttribute(ownerOnly));
    Files.writeString(file, text, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
  }

  private static void initialize(
      Path home, Path data, Path binaries, Account account, String password)
      throws IOException, InterruptedException {
    // Made aside and moved, so that a start that is cut off here leaves no half-made directory.
    Path fresh = home.resolve("data-partial");
    Binaries.delete(fresh);
    Files.createDirectory(
        fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    account.own(fresh);
    Path passwordFile = home.resolve("initdb-password");
    writePrivately(passwordFile, password + "\n");
    account.own(passwordFile);
    try {
      run(
          account.command(
              binaries.resolve("bin/initdb"),
              "--pgdata=" + fresh,
              "--username=" + ROLE,
              "--pwfile=" + passwordFile,
              "--auth=scram-sha-256",
              // The password is random, 192 bits of it, so a slow hash adds nothing: with the usual
              // 4096 iterations, proving it is a fifth of what a start of the server computes.
              "--set=scram_iterations=1",
              "--encoding=UTF8",
              "--locale=C",
              "--data-checksums"),
          home);
    } finally {
      Files.deleteIfExists(passwordFile);
    }
    Files.move(fresh, data);
  }

  /** What went wrong, or nothing. */
  private String launch(Path binaries, Account account) throws IOException, InterruptedException {
    Path log = PostgresLog.file(home);
    if (!Files.exists(log)) {
      writePrivately(log, "");
    }
    account.own(log);
    // pg_ctl gives it a session of its own, so that Ctrl-C at our terminal is not for it.
    Process starter =
        OwnProcess.of(
                account.command(
                    binaries.resolve("bin/pg_ctl"),
                    "start",
                    "--silent",
                    "--wait",
                    "--timeout=" + START_SECONDS,
                    "--pgdata=" + data,
                    "--log=" + log,
                    "--options=" + settings()))
            .directory(home.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.PIPE)
            .start();
    starter.getOutputStream().close();
    String said =
        new String(starter.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    int exitCode = starter.waitFor();
    if (exitCode != 0) {
      return said.isEmpty()
          ? "pg_ctl exited with " + exitCode
          : said.lines().findFirst().orElse("");
    }
    return postmaster.isReady(port) ? "" : "it was not ready";
  }

  private String settings() {
    return "-c port="
        + port
        + " -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=on"
        + " -c synchronous_commit=on -c full_page_writes=on"
        + " -c max_connections="
        + Math.max(FEWEST_CONNECTIONS, kept + SPARE_CONNECTIONS)
        + " -c authentication_timeout=10s"
        + " -c password_encryption=scram-sha-256"
        + " -c scram_iterations=4096" // for passwords that operators give to logins of their own
        + " -c log_timezone=UTC -c timezone=UTC";
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void run(List<String> command, Path directory)
      throws IOException, InterruptedException {
    Process process =
        OwnProcess.of(command).directory(directory.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException(command.get(0) + " failed: " + said.trim());
    }
  }
}
