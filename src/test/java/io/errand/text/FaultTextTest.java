package io.errand.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class FaultTextTest {
  private static String of(String message) {
    return FaultText.of(new IllegalStateException(message));
  }

  @Test
  void aPathKeepsAllItsParts() {
    for (String path : new String[] {"/tmp/x/home.MwFt", "/srv/a.b.C", "/srv/my.Error/x"}) {
      assertThat(of("Another server runs on " + path + "; stop it"))
          .isEqualTo("Another server runs on " + path + "; stop it");
      assertThat(of(path + " is not a directory")).isEqualTo(path + " is not a directory");
    }
    assertThat(of("data.Home is no directory")).isEqualTo("data.Home is no directory");
  }

  @Test
  void noClassStandsBeforeAMessage() {
    assertThat(of("java.io.IOException: java.net.ConnectException: Connection refused"))
        .isEqualTo("Connection refused");
    assertThat(of("java.lang.IllegalStateException: /tmp/home.MwFt is full"))
        .isEqualTo("/tmp/home.MwFt is full");
    assertThat(of("java.lang.OutOfMemoryError")).isEqualTo("an unexpected fault");
  }

  @Test
  void whereInItsCodePostgreSqlFoundAFaultIsLeftOut() {
    SQLException fault =
        new SQLException(
            """
            FATAL: password authentication failed for user "errand"
              Location: File: auth.c, Routine: auth_failed, Line: 326
              Server SQLState: 28P01""");
    assertThat(FaultText.of(fault))
        .isEqualTo("FATAL: password authentication failed for user \"errand\"");
    assertThat(of("ERROR: no\n  Detail: it is full\n  Server SQLState: 53100"))
        .isEqualTo("ERROR: no; Detail: it is full");
  }
}
