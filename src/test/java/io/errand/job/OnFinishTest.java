package io.errand.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnFinishTest {
  @ParameterizedTest
  @CsvSource({
    "https://Example.org, true, example.org, 443, example.org, /",
    "http://example.org:8080/a?b=c, false, example.org, 8080, example.org:8080, /a?b=c",
    "http://example.org?b, false, example.org, 80, example.org, /?b",
    "https://[2001:DB8::1]:8443/, true, 2001:db8::1, 8443, [2001:db8::1]:8443, /",
    "http://my_service/x@y:z, false, my_service, 80, my_service, /x@y:z"
  })
  void theParts(
      String url, boolean secure, String host, int port, String authority, String target) {
    assertThat(new OnFinish(url, null).receiver())
        .isEqualTo(new OnFinish.Receiver(secure, host, port, authority, target));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "example.org",
        "ftp://example.org",
        "HTTP://example.org",
        "http://",
        "http:///x",
        "http://user@example.org",
        "http://user:password@example.org/",
        "http://example.org:0",
        "http://example.org:65536",
        "http://example.org:",
        "http://example.org#x",
        "http://example.org/a b",
        "http://example.org/\r\nX: y",
        "http://exämple.org",
        "http://example.org\\@evil",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "file:///etc/passwd"
      })
  void whatIsNoUrlOfAWebhook(String url) {
    assertThat(OnFinish.isUrl(url)).isFalse();
  }

  @Test
  void itsLengthIsBounded() {
    String url = "http://example.org/" + "x".repeat(OnFinish.MAX_URL_CHARACTERS - 19);
    assertThat(OnFinish.isUrl(url)).isTrue();
    assertThat(OnFinish.isUrl(url + "x")).isFalse();
  }
}
