package io.errand.style;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Style that a formatter does not see. */
class StyleTest {
  private static final int MOST_LINES = 400;
  private static final Pattern BANNED_NAME =
      Pattern.compile(".*(Impl|Utils?|Manager|Helper|Common|Dto)\\.java");
  private static final Pattern SQL =
      Pattern.compile(
          "\\b(SELECT\\s.+\\sFROM|INSERT\\s+INTO|DELETE\\s+FROM|UPDATE\\s+\\S+\\s+SET)\\b",
          Pattern.DOTALL);
  private static final Pattern SLEEP = Pattern.compile("Thread\\.sleep|TimeUnit\\.\\w+\\.sleep");
  private static final Pattern LAUNCHER =
      Pattern.compile("\\bTestLauncher\\.|\\bnew LinuxLauncher\\(");
  private static final Pattern REGISTRY =
      Pattern.compile("https?://[a-z0-9.-]*(/maven2|npmjs|registry\\.)");

  private static List<Path> files(String root, String ending) {
    try (Stream<Path> files = Files.walk(Path.of(root))) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Path> sources() {
    List<Path> sources = new ArrayList<>(files("src/main/java", ".java"));
    sources.addAll(files("src/test/java", ".java"));
    assertThat(sources).hasSizeGreaterThan(70);
    return sources;
  }

  @Test
  void noFileOfTheProductIsLongEnoughToHaveTwoJobs() {
    assertThat(files("src/main/java", ".java"))
        .allSatisfy(file -> assertThat(text(file).lines().count()).isLessThanOrEqualTo(MOST_LINES));
  }

  @Test
  void noNameSaysNothing() {
    assertThat(sources())
        .allSatisfy(
            file -> assertThat(file.getFileName().toString()).doesNotMatch(BANNED_NAME.pattern()));
  }

  @Test
  void sqlStandsInTheStoreOnly() {
    assertThat(files("src/main/java", ".java"))
        .filteredOn(file -> !file.toString().contains("/store/"))
        .allSatisfy(file -> assertThat(SQL.matcher(text(file)).find()).isFalse());
  }

  @Test
  void everyRoomSaysWhatItOwns() throws IOException {
    try (Stream<Path> folders = Files.walk(Path.of("src/main/java/io/errand"))) {
      assertThat(folders.filter(Files::isDirectory).toList())
          .allSatisfy(folder -> assertThat(folder.resolve("package-info.java")).exists());
    }
  }

  /**
   * But for the faults and their load, which last for a time: nothing there waits for an outcome.
   */
  @Test
  void noTestSleeps() {
    assertThat(files("src/test/java", ".java"))
        .filteredOn(
            file -> !file.endsWith("StyleTest.java") && !file.toString().contains("/faults/"))
        .allSatisfy(file -> assertThat(SLEEP.matcher(text(file)).find()).isFalse());
  }

  /** A launcher makes its whole process a subreaper. */
  @Test
  void noUnitTestSharesAProcessWithALauncher() {
    assertThat(files("src/test/java", "Test.java"))
        .filteredOn(file -> LAUNCHER.matcher(text(file)).find())
        .hasSizeGreaterThan(5)
        .allSatisfy(file -> assertThat(text(file)).contains("\n@OwnProcess\n"));
  }

  @Test
  void noFileNamesAPackageRegistry() {
    List<Path> all = new ArrayList<>(sources());
    all.addAll(
        List.of(Path.of("pom.xml"), Path.of("mvnw"), Path.of("errand"), Path.of("README.md")));
    assertThat(all)
        .filteredOn(file -> !file.endsWith("StyleTest.java"))
        .allSatisfy(file -> assertThat(REGISTRY.matcher(text(file)).find()).isFalse());
  }
}
