package io.errand.embedded;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;

/** Unpacks the PostgreSQL that the build has packed in, once for each version. */
final class Binaries {
  private Binaries() {}

  /**
   * The folder with {@code bin}, {@code lib} and {@code share}; unpacked if it is not there.
   *
   * @param home data directory of the server
   */
  static Path unpacked(Path home) throws IOException {
    Path target = home.resolve("postgresql-" + version());
    if (Files.isDirectory(target)) {
      return target;
    }
    Path partial = home.resolve("postgresql-partial");
    delete(partial); // of a start that was cut off
    try (InputStream packed = resource("/postgresql/postgresql.tar.gz");
        TarArchiveInputStream tar =
            new TarArchiveInputStream(
                new BufferedInputStream(new GZIPInputStream(packed, 1 << 16), 1 << 16))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        unpack(tar, entry, partial);
      }
    }
    Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    return target;
  }

  /** Such as {@code 17.10.0}. */
  static String version() throws IOException {
    try (InputStream version = resource("/postgresql/version")) {
      return new String(version.readAllBytes(), StandardCharsets.US_ASCII).trim();
    }
  }

  private static InputStream resource(String name) {
    InputStream resource = Binaries.class.getResourceAsStream(name);
    if (resource == null) {
      throw new IllegalStateException(
          "This build holds no PostgreSQL; set ERRAND_DATABASE_URL to use one of yours");
    }
    return resource;
  }

  private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path root)
      throws IOException {
    Path path = root.resolve(entry.getName()).normalize();
    if (!path.startsWith(root)) {
      throw new IOException("An entry of the archive leads out of it: " + entry.getName());
    }
    makeReadable(entry.isDirectory() ? path : path.getParent());
    if (entry.isDirectory()) {
      return;
    }
    if (entry.isSymbolicLink()) {
      try {
        Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
      } catch (FileAlreadyExistsException e) {
        return; // the archive names it twice
      }
      return;
    }
    Files.copy(tar, path, StandardCopyOption.REPLACE_EXISTING);
    Set<PosixFilePermission> permissions =
        PosixFilePermissions.fromString((entry.getMode() & 0100) != 0 ? "rwxr-xr-x" : "rw-r--r--");
    Files.setPosixFilePermissions(path, permissions);
  }

  /** For everybody, whatever the umask: another account may be the one to read it. */
  private static void makeReadable(@Nullable Path folder) throws IOException {
    if (folder == null || Files.isDirectory(folder)) {
      return;
    }
    makeReadable(folder.getParent());
    Files.createDirectory(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  static void delete(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
