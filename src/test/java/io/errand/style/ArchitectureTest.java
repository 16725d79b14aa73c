package io.errand.style;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.common.annotation.NonBlocking;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Which package may import which. A package that is missing here is not allowed to exist. */
class ArchitectureTest {
  private static final Map<String, Set<String>> ALLOWED =
      Map.ofEntries(
          Map.entry("memory", Set.of()),
          Map.entry("text", Set.of()),
          Map.entry("network", Set.of()),
          Map.entry("settings", Set.of("client", "network", "vault")),
          Map.entry("disk", Set.of("meters")),
          Map.entry("meters", Set.of()),
          Map.entry("job", Set.of()),
          Map.entry("store", Set.of("job", "meters", "vault")),
          Map.entry("vault", Set.of("client", "network")),
          Map.entry("exec", Set.of("job", "memory")),
          Map.entry("traces", Set.of("job", "meters")),
          Map.entry("queue", Set.of("job", "store", "disk", "secrets", "meters", "traces")),
          Map.entry(
              "worker",
              Set.of("job", "store", "exec", "memory", "disk", "secrets", "meters", "traces")),
          Map.entry(
              "api",
              Set.of(
                  "job", "queue", "store", "auth", "audit", "memory", "disk", "network", "secrets",
                  "meters")),
          Map.entry(
              "console", Set.of("api", "auth", "disk", "job", "memory", "queue", "store", "text")),
          Map.entry("http", Set.of("api", "memory", "meters")),
          Map.entry("drill", Set.of("client", "store", "text")),
          Map.entry("profile", Set.of("api", "auth", "exec", "memory")),
          Map.entry("secrets", Set.of("vault")),
          Map.entry(
              "webhooks",
              Set.of(
                  "api", "job", "memory", "meters", "network", "secrets", "store", "text",
                  "traces")),
          Map.entry("auth", Set.of("job", "network", "store")),
          Map.entry("audit", Set.of("store", "text")),
          Map.entry(
              "ops",
              Set.of(
                  "job",
                  "store",
                  "exec",
                  "embedded",
                  "memory",
                  "text",
                  "disk",
                  "settings",
                  "meters",
                  "vault")),
          Map.entry("embedded", Set.of()),
          Map.entry("client", Set.of()),
          Map.entry("cli", Set.of("client", "network", "text")));

  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPath(Path.of("target/classes"));

  @Test
  void theWholeProductIsLookedAt() {
    assertThat(OURS.size()).isGreaterThan(60);
    Set<String> packages = new HashSet<>();
    OURS.forEach(type -> packages.add(packageOf(type)));
    packages.remove("");
    assertThat(packages).isEqualTo(ALLOWED.keySet());
  }

  @Test
  void everyPackageImportsOnlyWhatItMay() {
    ALLOWED.forEach(
        (packageOf, others) -> {
          Set<String> allowed = new HashSet<>(others);
          allowed.add(packageOf);
          classes()
              .that()
              .resideInAPackage("io.errand." + packageOf + "..")
              .should()
              .onlyDependOnClassesThat(
                  new DescribedPredicate<JavaClass>("are in " + allowed + " or not ours") {
                    @Override
                    public boolean test(JavaClass type) {
                      return !type.getPackageName().startsWith("io.errand")
                          || allowed.contains(packageOf(type));
                    }
                  })
              .check(OURS);
        });
  }

  @Test
  void theDocumentNamesTheSameImports() throws IOException {
    Map<String, Set<String>> documented = new HashMap<>();
    Matcher line =
        Pattern.compile("^([a-z]+) →(.*)$", Pattern.MULTILINE)
            .matcher(Files.readString(Path.of("docs/ARCHITECTURE.md")));
    while (line.find()) {
      String others = line.group(2).trim();
      documented.put(line.group(1), others.isEmpty() ? Set.of() : Set.of(others.split(", ")));
    }
    assertThat(documented).isEqualTo(ALLOWED);
  }

  @Test
  void whatAJobIsKnowsJavaOnly() {
    classes()
        .that()
        .resideInAPackage("io.errand.job..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", "io.errand.job..", "org.jspecify..")
        .check(OURS);
  }

  /** It is an artifact of its own, which needs the JDK only. */
  @Test
  void theClientForProgramsKnowsTheJdkOnly() {
    classes()
        .that()
        .resideInAPackage("io.errand.client..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", "io.errand.client..")
        .check(OURS);
  }

  /**
   * F9: what a host takes for the time decides nothing. Leases are of the database and monotonic.
   */
  @Test
  void noWorkerAsksTheWallClock() {
    noClasses()
        .that()
        .resideInAnyPackage("io.errand.worker..", "io.errand.exec..", "io.errand.store..")
        .should()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(OffsetDateTime.class, "now")
        .check(OURS);
  }

  /** A body takes up to tens of milliseconds to read: no other client may wait for it. */
  @Test
  void noResourceReadsABodyOnAnEventLoop() {
    noMethods()
        .that()
        .areAnnotatedWith(NonBlocking.class)
        .should()
        .beDeclaredInClassesThat()
        .resideInAPackage("io.errand.api..")
        .check(OURS);
  }

  @Test
  void thePackagesHaveNoCycles() {
    slices().matching("io.errand.(*)..").should().beFreeOfCycles().check(OURS);
    slices().matching("io.errand.(**)").should().beFreeOfCycles().check(OURS);
  }

  private static String packageOf(JavaClass type) {
    String[] parts = type.getPackageName().split("\\.");
    return Arrays.asList(parts).size() < 3 ? "" : parts[2];
  }
}
