package io.errand.embedded;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * The log of the built-in database, {@code postgres.log} in the data directory, and what it held
 * before it became too large, {@code postgres.log.1}. PostgreSQL writes a line for each connection
 * that it refuses, and any process of this host can ask for connections.
 */
final class PostgresLog {
  static final long MOST_BYTES = 16L << 20;

  private PostgresLog() {}

  static Path file(Path home) {
    return home.resolve("postgres.log");
  }

  static Path earlier(Path home) {
    return home.resolve("postgres.log.1");
  }

  /**
   * Where it is too large, puts it aside in place of what was aside, and empties it. PostgreSQL
   * keeps it open and appends, so it stays the same file.
   */
  static void bound(Path home) {
    Path log = file(home);
    try {
      if (Files.size(log) <= MOST_BYTES) {
        return;
      }
      Path partial = home.resolve("postgres.log-partial");
      try {
        EmbeddedPostgres.writePrivately(partial, "");
        copy(log, partial);
        Files.move(partial, earlier(home), StandardCopyOption.ATOMIC_MOVE);
      } finally { // also where the disk is full
        try (FileChannel channel =
            FileChannel.open(log, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
          channel.truncate(0);
        }
      }
    } catch (IOException e) {
      return; // it is tried again; it must not keep the server from watching its database
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ);
        FileChannel target = FileChannel.open(to, StandardOpenOption.WRITE)) {
      long position = Math.max(0, source.size() - MOST_BYTES);
      for (long left = MOST_BYTES; left > 0; ) {
        long copied = source.transferTo(position, left, target);
        if (copied <= 0) {
          return;
        }
        position += copied;
        left -= copied;
      }
    }
  }
}
