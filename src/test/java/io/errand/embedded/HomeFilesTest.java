package io.errand.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of the server that others must not lay hands on. */
class HomeFilesTest {
  @TempDir private Path folder;

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  @Test
  void nobodyElseCanOpenALockThatANewOrAnEarlierBuildHasMade() throws IOException {
    Path lock = folder.resolve("lock");
    HomeLock.take(folder).close();
    assertThat(mode(lock)).isEqualTo("rw-------");
    Files.setPosixFilePermissions(lock, PosixFilePermissions.fromString("rw-r--r--"));
    HomeLock.take(folder).close();
    assertThat(mode(lock)).isEqualTo("rw-------");
  }

  @Test
  void theSameHoldsForLocksBesideTemporaryDirectories() throws IOException {
    Path earlier = Files.createFile(folder.resolve("earlier.lock"));
    Files.setPosixFilePermissions(earlier, PosixFilePermissions.fromString("rw-rw-rw-"));
    HomeLock.takeOneOf(folder, "earlier");
    assertThat(mode(earlier)).isEqualTo("rw-------");
    HomeLock.takeOneOf(folder, "new");
    assertThat(mode(folder.resolve("new.lock"))).isEqualTo("rw-------");
  }

  @Test
  void aLogThatIsTooLargeIsPutAsideAndEmptied() throws IOException {
    Path log = PostgresLog.file(folder);
    Files.write(log, new byte[(int) PostgresLog.MOST_BYTES]);
    PostgresLog.bound(folder);
    assertThat(log).hasSize(PostgresLog.MOST_BYTES);
    Files.write(log, new byte[4], java.nio.file.StandardOpenOption.APPEND);
    PostgresLog.bound(folder);
    assertThat(log).isEmptyFile();
    assertThat(PostgresLog.earlier(folder)).hasSize(PostgresLog.MOST_BYTES);
    assertThat(mode(PostgresLog.earlier(folder))).isEqualTo("rw-------");
    PostgresLog.bound(folder);
    assertThat(PostgresLog.earlier(folder)).exists();
  }
}
