package io.errand.style;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The version and the day of a release stand in several files. */
class VersionTest {
  @ParameterizedTest
  @CsvSource({
    "client/pom.xml, <version>(.+)</version>",
    "src/main/java/io/errand/cli/Client.java, '\"errand (\\d[^\"]*)\"'",
    "docker/compose.yaml, image: errand:(.+)",
    "docker/Dockerfile, -t errand:(\\S+)",
    "docker/kubernetes/overlays/dev/kustomization.yaml, 'newTag: \"?([^\"\\s]+)'",
    "docker/kubernetes/overlays/staging/kustomization.yaml, 'newTag: \"?([^\"\\s]+)'",
    "docker/kubernetes/overlays/production/kustomization.yaml, 'newTag: \"?([^\"\\s]+)'"
  })
  void everyFileNamesTheVersionOfTheBuild(String file, String pattern) throws IOException {
    assertThat(first(file, pattern)).isEqualTo(first("pom.xml", "<version>(.+)</version>"));
  }

  @Test
  void theJarsOfTheClientAreOfTheDayOfTheRelease() throws IOException {
    String day = first("pom.xml", "<project.build.outputTimestamp>(.+)</");
    assertThat(Files.readAllLines(Path.of("pom.xml")))
        .filteredOn(line -> line.contains("modificationtime="))
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).contains("\"" + day + "\""));
  }

  /** What the first group of a pattern finds first. */
  private static String first(String file, String pattern) throws IOException {
    Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(Path.of(file)));
    assertThat(matcher.find()).as("%s in %s", pattern, file).isTrue();
    return matcher.group(1);
  }
}
