package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.network.Networks;
import io.vertx.core.MultiMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a trusted front says of its client, and what it may only have passed on. */
class ForwardedTest {
  private static final Networks TRUSTED = Networks.of("TEST", "10.0.0.0/8,fd00::/8");
  private static final Origin DIRECT = new Origin(false, "inner:8080", "", "10.0.0.1");

  private static Origin origin(String... headers) {
    MultiMap map = MultiMap.caseInsensitiveMultiMap();
    for (int i = 0; i < headers.length; i += 2) {
      map.add(headers[i], headers[i + 1]);
    }
    return new Forwarded(TRUSTED).origin(DIRECT, map);
  }

  @Test
  void withoutHeadersItIsTheFrontThatAsks() {
    assertThat(origin()).isEqualTo(DIRECT);
  }

  @Test
  void bothFormsNameTheClientItsSchemeAndItsHost() {
    Origin client = new Origin(true, "errand.example.org", "", "203.0.113.9");
    assertThat(origin("Forwarded", "for=203.0.113.9;proto=https;host=errand.example.org"))
        .isEqualTo(client);
    assertThat(
            origin(
                "X-Forwarded-For",
                "203.0.113.9",
                "X-Forwarded-Proto",
                "https",
                "X-Forwarded-Host",
                "errand.example.org"))
        .isEqualTo(client);
    assertThat(origin("Forwarded", "For=\"[2001:db8::7]:4711\" ; Proto=HTTPS"))
        .isEqualTo(new Origin(true, "inner:8080", "", "2001:db8::7"));
  }

  /** What stands on the left of the last trusted hop was written by the client itself. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1.1.1.1, 203.0.113.9|203.0.113.9",
        "1.1.1.1, 203.0.113.9, 10.0.0.7|203.0.113.9",
        "10.0.0.8, 10.0.0.7|10.0.0.8",
        "1.1.1.1, unknown|10.0.0.1",
        "1.1.1.1, example.org, 10.0.0.7|10.0.0.7",
      })
  void theClientIsTheFirstAddressFromTheRightThatIsNotTrusted(String list, String client) {
    assertThat(origin("X-Forwarded-For", list).client()).isEqualTo(client);
    String standard = "for=" + list.replace(", ", ", for=");
    assertThat(origin("Forwarded", standard).client()).isEqualTo(client);
  }

  @Test
  void whatTheClientWritesBeforeItsFrontDoesNotCount() {
    assertThat(origin("Forwarded", "for=1.1.1.1;host=evil.example;proto=https, for=203.0.113.9"))
        .isEqualTo(new Origin(false, "inner:8080", "", "203.0.113.9"));
    assertThat(origin("X-Forwarded-Host", "evil.example", "X-Forwarded-Host", "a.example").host())
        .isEqualTo("inner:8080");
    assertThat(origin("X-Forwarded-Proto", "https, http").isSecure()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example/path",
        "a.example, b.example",
        "user@evil.example",
        "a.example:99999",
        "a.example:",
        "[::1",
        "a b",
        "a\"b",
        "//evil.example",
        "javascript:alert(1)",
        ".example",
        ""
      })
  void aHostThatIsNoneIsIgnored(String host) {
    assertThat(origin("X-Forwarded-Host", host).host()).isEqualTo("inner:8080");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "//evil.example",
        "/\\evil.example",
        "/a//b",
        "/a/../b",
        "/..",
        "/./a",
        "evil",
        "https://evil.example/",
        "/a?b",
        "/a#b",
        "/%2f%2fevil",
        "/a b",
        "/a;b",
        "/a, /b",
        "/",
        ""
      })
  void aPrefixThatCouldLeadElsewhereIsIgnored(String prefix) {
    assertThat(origin("X-Forwarded-Prefix", prefix).prefix()).isEmpty();
    assertThat(origin("X-Forwarded-Prefix", "/a", "X-Forwarded-Prefix", prefix).prefix()).isEmpty();
    assertThat(origin("X-Forwarded-Prefix", "/" + "a".repeat(256)).prefix()).isEmpty();
  }

  @Test
  void aPrefixStandsBeforeThePathsOfOurRoutesAndNoOthers() {
    Origin origin = origin("X-Forwarded-Prefix", "/queues/errand/");
    assertThat(origin.path("/v1/jobs/1")).isEqualTo("/queues/errand/v1/jobs/1");
    assertThat(origin.path("https://elsewhere.example/")).isEqualTo("https://elsewhere.example/");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "for=203.0.113.9;for=203.0.113.8",
        "for=203.0.113.9;",
        "for=\"203.0.113.9",
        "for",
        "=203.0.113.9",
        "for=203.0.113.9 proto=https",
        "",
        ";",
        ","
      })
  void aMalformedHeaderSaysNothing(String value) {
    assertThat(origin("Forwarded", value, "X-Forwarded-Proto", "https")).isEqualTo(DIRECT);
  }

  @Test
  void hopsAreBounded() {
    assertThat(origin("Forwarded", "for=10.0.0.2,".repeat(40) + "for=10.0.0.2")).isEqualTo(DIRECT);
    assertThat(origin("X-Forwarded-For", "203.0.113.9," + "10.0.0.2,".repeat(40) + "10.0.0.2"))
        .isEqualTo(new Origin(false, "inner:8080", "", "10.0.0.2"));
    assertThat(origin("X-Forwarded-For", "1".repeat(5_000))).isEqualTo(DIRECT);
  }
}
