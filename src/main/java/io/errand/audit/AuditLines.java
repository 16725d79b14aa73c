package io.errand.audit;

import io.errand.store.audit.AuditRow;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Rows of the audit as lines of JSON: in a file, on standard output, and at DEBUG in the log
 * category {@value #CATEGORY}, which a handler such as that for syslog may take. For one thread.
 */
@ApplicationScoped
class AuditLines {
  static final String CATEGORY = "errand.audit";

  private static final Logger LOG = Logger.getLogger(AuditLines.class);
  private static final Logger LINES = Logger.getLogger(CATEGORY);
  private static final String STANDARD_OUTPUT = "-";

  private final @Nullable String file;
  private boolean hasFailed;

  AuditLines(AuditConfig config) {
    this.file = config.auditFile().filter(name -> !name.isBlank()).orElse(null);
  }

  /**
   * Finds out whether the file can be written.
   *
   * @throws IllegalStateException with a sentence if it cannot
   */
  void check() {
    try {
      writeFile("");
    } catch (IOException e) {
      throw new IllegalStateException(
          "ERRAND_AUDIT_FILE, " + file + ", cannot be written: " + e.getMessage(), e);
    }
  }

  /** Writes rows that are in the database: a file that fails loses lines, and the log says so. */
  void write(List<AuditRow> rows) {
    boolean isLogged = LINES.isDebugEnabled();
    if (rows.isEmpty() || (file == null && !isLogged)) {
      return;
    }
    List<String> lines = rows.stream().map(AuditJson::line).toList();
    if (isLogged) {
      lines.forEach(LINES::debug);
    }
    try {
      writeFile(String.join("\n", lines) + "\n");
      hasFailed = false;
    } catch (IOException e) {
      if (!hasFailed) {
        LOG.errorf(
            "Lines of the audit, from row %d on, are missing in ERRAND_AUDIT_FILE: %s",
            rows.get(0).seq(), e.getMessage());
      }
      hasFailed = true;
    }
  }

  /** The file is opened each time: it may have been moved away. */
  private void writeFile(String text) throws IOException {
    if (file == null) {
      return;
    }
    if (file.equals(STANDARD_OUTPUT)) {
      System.out.print(text);
      System.out.flush();
      return;
    }
    try (FileChannel channel =
        FileChannel.open(
            Path.of(file),
            Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
  }
}
