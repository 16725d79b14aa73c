package io.errand.ops;

import io.errand.embedded.DataDirectory;
import io.errand.settings.Settings;
import io.errand.store.support.DatabaseFacts;
import io.errand.store.support.HotPlans;
import io.errand.text.FaultText;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * What a report of a fault needs, in one file: each part is a text of this host or of the database,
 * bounded, without secrets. What cannot be had is said in its place.
 */
final class SupportBundle {
  private static final int FAILED = 1;
  private static final int INCOMPLETE = 74;
  private static final int MOST_LINES = 2_000;
  private static final int MOST_PART_BYTES = 4 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern("'errand-support-'yyyyMMdd-HHmmss'.zip'");

  private static final Pattern OF_POSTGRES = Pattern.compile(" (LOG|WARNING|FATAL|PANIC):  ");
  private static final Pattern STATEMENT = Pattern.compile("statement: |execute |parse |bind ");

  private SupportBundle() {}

  /**
   * Writes it, and says where.
   *
   * @param given the file, which must not be there; empty for one of our own
   * @param log the log of the server, {@code -} for standard input, or null
   * @param doctor what was found otherwise
   * @return the exit status
   */
  static int write(String given, @Nullable String log, String doctor) {
    Path file = Path.of(given.isEmpty() ? NAME.format(LocalDateTime.now()) : given);
    Settings settings;
    Path home;
    Map<String, String> parts = new LinkedHashMap<>();
    try {
      settings = Settings.ofThisProcess();
      home = DataDirectory.of(settings.get("home"));
      if (log != null) {
        parts.put("log.txt", log.equals("-") ? lastLines(System.in) : ofFile(Path.of(log)));
      }
    } catch (IllegalStateException e) {
      System.err.println("errand: " + e.getMessage());
      return CommandLine.ExitCode.USAGE;
    } catch (IOException e) {
      System.err.println("errand: the log cannot be read: " + FaultText.of(e));
      return CommandLine.ExitCode.USAGE;
    }
    parts.put("versions.txt", versions());
    parts.put("settings.txt", settings(settings, home));
    parts.put("doctor.txt", doctor);
    database(parts);
    parts.put("metrics.txt", metrics(home));
    parts.put("postgres.log.txt", ofPostgres(ofFileIfAny(home.resolve("postgres.log"))));
    return pack(file, parts, Masking.of(settings, System.getenv(), home));
  }

  private static int pack(Path file, Map<String, String> parts, Masking masking) {
    boolean isWhole = false;
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try (OutputStream out = Files.newOutputStream(file);
          ZipOutputStream zip = new ZipOutputStream(out)) {
        for (Map.Entry<String, String> part : parts.entrySet()) {
          zip.putNextEntry(new ZipEntry("errand-support/" + part.getKey()));
          zip.write(masking.mask(part.getValue()).getBytes(StandardCharsets.UTF_8));
          zip.closeEntry();
        }
      }
      isWhole = true;
      System.err.println(
          "errand: packed into " + file + "; look through it before you hand it over");
      return CommandLine.ExitCode.OK;
    } catch (FileAlreadyExistsException e) {
      System.err.println("errand: " + file + " is there already; name another file");
      isWhole = true; // and not ours
      return FAILED;
    } catch (IOException e) {
      System.err.println("errand: " + file + " cannot be written: " + FaultText.of(e));
      return INCOMPLETE;
    } finally {
      if (!isWhole) {
        file.toFile().delete();
      }
    }
  }

  private static String versions() {
    StringBuilder text = new StringBuilder();
    text.append("errand\t").append(ownJar()).append('\n');
    for (String property :
        new String[] {
          "java.vendor", "java.runtime.version", "java.vm.name", "os.name", "os.version", "os.arch"
        }) {
      text.append(property).append('\t').append(System.getProperty(property)).append('\n');
    }
    Runtime host = Runtime.getRuntime();
    text.append("processors\t").append(host.availableProcessors()).append('\n');
    for (String name : new String[] {"/etc/os-release", "/proc/version", "/proc/meminfo"}) {
      text.append("\n# ").append(name).append('\n').append(ofFileIfAny(Path.of(name)));
    }
    return text.toString();
  }

  /** The name of the file that holds this class has the version in it. */
  private static String ownJar() {
    try {
      URI place = SupportBundle.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      return String.valueOf(Path.of(place).getFileName());
    } catch (Exception e) {
      return "(unknown)";
    }
  }

  private static String settings(Settings settings, Path home) {
    StringBuilder text = new StringBuilder("the data directory is " + home + "\n");
    for (Settings.Effective one : settings.effective()) {
      String value = one.value() == null ? one.standard() : one.value();
      text.append(one.variable()).append('=').append(value);
      text.append(" (").append(one.source()).append(")\n");
    }
    Settings.unknown().forEach(note -> text.append("note: ").append(note).append('\n'));
    return text.toString();
  }

  private static void database(Map<String, String> parts) {
    try {
      Optional<Connection> found = DatabaseAccess.connect();
      if (found.isEmpty()) {
        parts.put("database.txt", "no built-in one runs, and ERRAND_DATABASE_URL is not set\n");
        return;
      }
      try (Connection connection = found.get()) {
        parts.put("database.txt", DatabaseFacts.read(connection));
        parts.put("plans.txt", HotPlans.all(connection));
      }
    } catch (SQLException | IllegalStateException e) {
      parts.putIfAbsent("database.txt", "cannot be read: " + FaultText.of(e) + "\n");
    }
  }

  /** Of the server whose data directory this is. */
  private static String metrics(Path home) {
    Path management = home.resolve("management-url");
    Path file = Files.exists(management) ? management : home.resolve("url");
    try {
      String url = Files.readString(file).strip();
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(url + "/q/metrics"))
              .header("Accept", "text/plain")
              .timeout(PATIENCE)
              .build();
      HttpResponse<InputStream> answer =
          HttpClient.newBuilder()
              .connectTimeout(PATIENCE)
              .build()
              .send(request, BodyHandlers.ofInputStream());
      try (InputStream body = answer.body()) {
        String text = new String(body.readNBytes(MOST_PART_BYTES), StandardCharsets.UTF_8);
        return answer.statusCode() == 200 ? text : "status " + answer.statusCode() + "\n";
      }
    } catch (IOException | IllegalArgumentException e) {
      return "no server answers for this data directory: " + FaultText.of(e) + "\n";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  /** Without errors and what explains them: these quote values and statements of jobs. */
  private static String ofPostgres(String log) {
    StringBuilder text = new StringBuilder();
    log.lines()
        .filter(line -> OF_POSTGRES.matcher(line).find() && !STATEMENT.matcher(line).find())
        .forEach(line -> text.append(line).append('\n'));
    return text.toString();
  }

  private static String ofFileIfAny(Path file) {
    try {
      return ofFile(file);
    } catch (IOException e) {
      return "cannot be read: " + FaultText.of(e) + "\n";
    }
  }

  private static String ofFile(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      long more = Files.size(file) - MOST_PART_BYTES;
      if (more > 0) {
        in.skipNBytes(more);
      }
      return lastLines(in);
    }
  }

  /** The last lines, of the last bytes. */
  private static String lastLines(InputStream in) throws IOException {
    Deque<String> lines = new ArrayDeque<>();
    byte[] last = lastBytes(in);
    new String(last, StandardCharsets.UTF_8)
        .lines()
        .forEach(
            line -> {
              lines.add(line);
              if (lines.size() > MOST_LINES) {
                lines.remove();
              }
            });
    return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
  }

  private static byte[] lastBytes(InputStream in) throws IOException {
    byte[] kept = new byte[0];
    while (true) {
      byte[] next = in.readNBytes(MOST_PART_BYTES);
      if (next.length < MOST_PART_BYTES) {
        byte[] both = new byte[kept.length + next.length];
        System.arraycopy(kept, 0, both, 0, kept.length);
        System.arraycopy(next, 0, both, kept.length, next.length);
        return both;
      }
      kept = next;
    }
  }
}
