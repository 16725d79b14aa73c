package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whose directories a server takes as its own. */
class TrustedPathTest {
  private static final int OTHER = 65531;

  @TempDir Path folder;

  private static void refuses(Path directory, String why) {
    assertThatThrownBy(() -> TrustedPath.make(directory))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(why);
  }

  private static void own(Path path, int uid) throws IOException {
    assumeTrue(LibC.geteuid() == 0, "needs root, who alone can give files away");
    Files.setAttribute(path, "unix:uid", uid, java.nio.file.LinkOption.NOFOLLOW_LINKS);
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  @Test
  void aMissingOneIsMadeForThisAccountAloneAndServesAgain() throws IOException {
    Path directory = folder.resolve("a/b");
    TrustedPath.make(directory);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
        .isEqualTo("rwx------");
    assertThatCode(() -> TrustedPath.make(directory)).doesNotThrowAnyException();
  }

  @Test
  void aLinkOrAFileIsRefusedAndWhatItLeadsToStays() throws IOException {
    Path target = Files.createDirectory(folder.resolve("target"));
    Files.createFile(target.resolve("kept"));
    refuses(Files.createSymbolicLink(folder.resolve("link"), target), "a link to one");
    refuses(Files.createSymbolicLink(folder.resolve("loop"), Path.of("loop")), "too many links");
    refuses(Files.createFile(folder.resolve("file")), "is not a directory");
    assertThat(target.resolve("kept")).exists();
  }

  @Test
  void ownLinksOnTheWayAreFollowed() throws IOException {
    Path target = Files.createDirectory(folder.resolve("target"));
    Files.createSymbolicLink(
        folder.resolve("link"), Path.of("../" + folder.getFileName() + "/target"));
    TrustedPath.make(folder.resolve("link/home"));
    assertThat(target.resolve("home")).isDirectory();
  }

  @Test
  void oneOfAnotherAccountIsRefusedAndSoIsOneBelowIt() throws IOException {
    Path others = Files.createDirectory(folder.resolve("others"));
    own(others, OTHER);
    refuses(others, "belongs to uid 65531");
    refuses(others, "server's account; chown it to root, or set ERRAND_HOME or ");
    refuses(others.resolve("home"), "belongs to uid 65531");
    refuses(others.resolve("home"), "server's account; chown it to root, or set ERRAND_HOME or ");
    assertThat(others.resolve("home")).doesNotExist();
  }

  @Test
  void aLinkOfAnotherAccountOnTheWayIsRefused() throws IOException {
    Path target = Files.createDirectory(folder.resolve("target"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    own(link, OTHER);
    refuses(link.resolve("home"), "belongs to uid 65531");
    assertThat(target).isEmptyDirectory();
  }

  @Test
  void whereOthersMayWriteTheStickyBitIsNeeded() throws IOException {
    Path open = Files.createDirectory(folder.resolve("open"));
    permit(open, "rwxrwxrwx");
    refuses(open, "can be written to by other accounts; chmod go-w it, or set ERRAND_HOME or ");
    refuses(open.resolve("home"), "can be written to by other accounts");
    Files.setAttribute(open, "unix:mode", 01777);
    assertThatCode(() -> TrustedPath.make(open.resolve("home"))).doesNotThrowAnyException();
    Path way = Files.createSymbolicLink(folder.resolve("way"), folder.resolve("second/inner"));
    Files.createDirectories(folder.resolve("second/inner"));
    permit(folder.resolve("second"), "rwxrwxrwx");
    refuses(way.resolve("home"), "can be written to by other accounts");
  }
}
