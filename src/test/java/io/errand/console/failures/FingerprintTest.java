package io.errand.console.failures;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What counts as one kind of failure. */
class FingerprintTest {
  private static Fingerprint of(String stderr) {
    return Fingerprint.of("exit_code", 2, null, stderr.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          no user 17                                            | no user <n>
          took 1.25 s at 10.0.0.7:5432                          | took <n> s at <n>:<n>
          job 0199b2c4-1111-7222-8333-0123456789ab is gone      | job <id> is gone
          2026-11-30T09:58:15.123Z broken pipe                  | <time> broken pipe
          at 0x7ffdeadbeef                                      | at <hex>
          object 3f786850e387550fdab836ed7e6dc881de23001b       | object <hex>
          """)
  void whatDiffersFromJobToJobIsLeftOut(String line, String normal) {
    assertThat(of(line)).isEqualTo(new Fingerprint("exit 2", normal));
  }

  @Test
  void theLastLineThatIsNotBlankCounts() {
    assertThat(of("first\nlast\n\n  \n").line()).isEqualTo("last");
    assertThat(of("progress 1\rdone badly").line()).isEqualTo("done badly");
    assertThat(of("\n\n").line()).isEmpty();
    assertThat(Fingerprint.of("timeout", null, null, null))
        .isEqualTo(new Fingerprint("timeout", ""));
  }

  @Test
  void whatWouldActOnAScreenDoesNot() {
    assertThat(of("\u001b[31mred\u001b[0m").line()).isEqualTo("red");
    assertThat(of("a\u202eb\u001b]8;;x\u0007").line()).isEqualTo("a\\u202eb\\u001b]<n>;;x\\u0007");
    assertThat(of("x".repeat(1000)).line()).hasSize(201);
  }

  @Test
  void aSignalAndAReasonAreNamed() {
    assertThat(Fingerprint.of("signal", null, "SIGSEGV", null).result()).isEqualTo("SIGSEGV");
    assertThat(Fingerprint.of("out_of_memory", null, "SIGKILL", null).result())
        .isEqualTo("out of memory");
    assertThat(Fingerprint.of("lost", null, null, null).result()).isEqualTo("lost");
  }
}
