package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which servers are read. */
class SessionTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "jdbc:postgresql://db.example.org/errand | any",
        "jdbc:postgresql://[::1]:5432/errand?options=-c%20a=1,2 | any",
        "jdbc:postgresql://db?loggerLevel=OFF,x | any",
        "jdbc:postgresql:errand | any",
        "jdbc:postgresql://one:5432,two:5433/errand | primary",
        "jdbc:postgresql://one,two?user=x | primary"
      })
  void whereThereAreSeveralThePrimaryIsLookedFor(String url, String servers) {
    assertThat(Session.readsFrom(url)).isEqualTo(servers);
  }
}
