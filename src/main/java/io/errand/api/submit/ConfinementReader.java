package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.request.Fields;
import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.Sandbox;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code limits}, {@code user} and {@code sandbox}. */
final class ConfinementReader {
  private static final int MOST_NAME = 255;

  /**
   * What can stand in no list of accounts. What names there are is for the worker's host to say.
   */
  private static final Pattern NO_NAME = Pattern.compile("|.*[\\p{Cc}:/].*", Pattern.DOTALL);

  private static final long LEAST_MEMORY = 1 << 20;
  private static final long MOST_BYTES = 1L << 50;
  private static final long MOST_COUNT = 1 << 20;
  private static final long MOST_FILES = 1 << 24;
  private static final long MOST_SECONDS = 31_536_000;
  private static final int MOST_PATHS = 64;

  private final Fields fields;

  /** Reads from the members of a job. */
  ConfinementReader(Fields fields) {
    this.fields = fields;
  }

  Confinement read() {
    String user = fields.string("user", MOST_NAME);
    if (user != null && NO_NAME.matcher(user).matches()) {
      fields.complain(
          fields.at("user"), "must not be empty, nor hold a colon, a slash or control characters");
    }
    return new Confinement(limits(), user, sandbox());
  }

  private Limits limits() {
    Fields limits = fields.objectWithFallback("limits");
    if (limits == null) {
      return Limits.NONE;
    }
    limits.only(
        Set.of(
            "memory_bytes",
            "cpu_seconds",
            "processes",
            "file_size_bytes",
            "open_files",
            "disk_bytes",
            "disk_files",
            "nice"));
    return new Limits(
        limits.whole("memory_bytes", LEAST_MEMORY, MOST_BYTES),
        limits.whole("cpu_seconds", 1, MOST_SECONDS),
        limits.whole("processes", 1, MOST_COUNT),
        limits.whole("file_size_bytes", 0, MOST_BYTES),
        limits.whole("open_files", 16, MOST_COUNT),
        limits.whole("disk_bytes", 1, MOST_BYTES),
        limits.whole("disk_files", 1, MOST_FILES),
        limits.get("nice") == null ? null : limits.integer("nice", 0, 0, 19));
  }

  private static boolean isPlain(String path) {
    return Path.of(path).normalize().equals(Path.of(path));
  }

  private @Nullable Sandbox sandbox() {
    Fields sandbox = fields.object("sandbox");
    if (sandbox == null) {
      return null;
    }
    sandbox.only(Set.of("network", "read_only", "writable"));
    List<String> writable = new ArrayList<>();
    for (Map.Entry<String, JsonNode> path : sandbox.list("writable", MOST_PATHS).entrySet()) {
      String text = sandbox.string(path.getValue(), path.getKey(), 4095);
      if (text != null && !(text.startsWith("/") && isPlain(text))) {
        sandbox.complain(path.getKey(), "must be an absolute path without . and ..");
      } else if (text != null) {
        writable.add(text);
      }
    }
    return new Sandbox(
        Boolean.TRUE.equals(sandbox.bool("network")),
        !Boolean.FALSE.equals(sandbox.bool("read_only")),
        writable);
  }
}
