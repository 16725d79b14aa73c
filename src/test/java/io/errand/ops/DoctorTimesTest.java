package io.errand.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class DoctorTimesTest {
  private static final Path FILE = Path.of("/etc/systemd/system/errand.service");

  private static DoctorTimes.Finding unit(String... lines) {
    return Objects.requireNonNull(DoctorTimes.ofUnit(FILE, String.join("\n", lines), 30));
  }

  @Test
  void aUnitMustWaitForTheDrainAndForWhatFollows() {
    String start = "ExecStart=/opt/errand/errand serve";
    DoctorTimes.Finding late = unit(start, "KillMode=mixed", "TimeoutStopSec=54");
    assertThat(late.problem()).contains("may take 55 s");
    assertThat(late.fix()).contains("TimeoutStopSec=55");
    assertThat(unit(start, "KillMode=mixed", "TimeoutStopSec=55").problem()).isNull();
    assertThat(unit(start, "KillMode=mixed", "TimeoutStopSec=1min").problem()).isNull();
    assertThat(unit(start, "KillMode=mixed", "TimeoutStopSec=1m 500ms").problem()).isNull();
    assertThat(unit(start, "KillMode=mixed", "TimeoutStopSec=infinity").problem()).isNull();
    assertThat(unit(start, "KillMode=mixed").problem()).as("90 s by default").isNull();
    String drain = "Environment=A=b ERRAND_DRAIN_SECONDS=600 C=d";
    assertThat(unit(start, "KillMode=mixed", drain).fix()).contains("TimeoutStopSec=625");
    assertThat(unit(start).fix()).contains("KillMode=mixed");
    assertThat(DoctorTimes.ofUnit(FILE, "ExecStart=/bin/true\nTimeoutStopSec=1", 30)).isNull();
  }

  @Test
  void theUnitOfThePackageWaitsLongEnough() throws IOException {
    String own = Files.readString(Path.of("src/packaging/errand.service"));
    assertThat(Objects.requireNonNull(DoctorTimes.ofUnit(FILE, own, 30)).problem()).isNull();
  }

  @Test
  void clocksAreComparedAsExactlyAsTheAnswerWasQuick() {
    assertThat(DoctorTimes.ofClocks(0.4, 0.01).problem()).isNull();
    assertThat(DoctorTimes.ofClocks(-1.5, 0.01).problem()).contains("due");
    assertThat(DoctorTimes.ofClocks(1.5, 0.01).fix()).contains("set-ntp");
    assertThat(DoctorTimes.ofClocks(1.5, 2).problem()).isNull();
  }
}
