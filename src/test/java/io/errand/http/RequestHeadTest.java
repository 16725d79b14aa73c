package io.errand.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.api.problem.Problem;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every head that two readers may take for different things is refused; {@code ~} is CR LF. */
class RequestHeadTest {
  private final RequestHead head = new RequestHead();
  private final HeadEnd end = new HeadEnd(head.bytes);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1~Host: x~~",
        "GET /v1/jobs?label=a:b&q=%00[x] HTTP/1.1~host:localhost:8080~~",
        "POST /v1/jobs HTTP/1.1~Host: [::1]:80~Content-Length: 7~~",
        "POST /v1/jobs HTTP/1.1~Host: 127.0.0.1~Transfer-Encoding: Chunked~~",
        "POST /v1/jobs HTTP/1.1~Host: x~Expect: 100-Continue~Content-Length: 0~~",
        "GET / HTTP/1.1~Host: [::]~~",
        "GET / HTTP/1.1~Host: [1::]:0~~",
        "GET / HTTP/1.1~Host: [::ffff:127.0.0.1]:65535~~",
        "GET / HTTP/1.1~Host: [1:2:3:4:5:6:7:8]~~",
        "GET / HTTP/1.1~Host: [1:2:3:4:5:6:1.2.3.4]~~",
        "GET / HTTP/1.1~Host: [2001:DB8::1:0:0:1]~~",
        "GET / HTTP/1.0~~",
        "GET /a:b HTTP/1.1~Host: x~Empty:~Tab:\ta\tb\t~Text: \u00e4~~"
      })
  void aStrictHeadIsTaken(String text) {
    check(text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "400 | ~",
        "400 | GET /~Host: x~~",
        "400 | GET  / HTTP/1.1~Host: x~~",
        "400 | GET /  HTTP/1.1~Host: x~~",
        "400 | GET /a b HTTP/1.1~Host: x~~",
        "400 | GET\t/ HTTP/1.1~Host: x~~",
        "400 | G@T / HTTP/1.1~Host: x~~",
        "400 | GET / HTTP/11~Host: x~~",
        "400 | GET / http/1.1~Host: x~~",
        "404 | GET http://x/v1/jobs HTTP/1.1~Host: x~~",
        "404 | OPTIONS * HTTP/1.1~Host: x~~",
        "404 | GET x:80 HTTP/1.1~Host: x~~",
        "404 | GET //x HTTP/1.1~Host: x~~",
        "404 | GET /#x HTTP/1.1~Host: x~~",
        "404 | GET /%4 HTTP/1.1~Host: x~~",
        "404 | GET /%zz HTTP/1.1~Host: x~~",
        "404 | GET /\u00e4 HTTP/1.1~Host: x~~",
        "400 | GET /?\"x\" HTTP/1.1~Host: x~~",
        "501 | get / HTTP/1.1~Host: x~~",
        "501 | BREW / HTTP/1.1~Host: x~~",
        "501 | CONNECT x:80 HTTP/1.1~Host: x~~",
        "505 | PRI * HTTP/2.0~~",
        "505 | GET / HTTP/9.9~Host: x~~",
        "505 | GET / HTTP/1.2~Host: x~~",
        "505 | GET / HTTP/0.9~Host: x~~",
        "400 | GET / HTTP/1.1~~",
        "400 | GET / HTTP/1.1~Host:~~",
        "400 | GET / HTTP/1.1~Host: x~Host: x~~",
        "400 | GET / HTTP/1.0~Host: x~Host: y~~",
        "400 | GET / HTTP/1.1~Host: x,y~~",
        "400 | GET / HTTP/1.1~Host: x y~~",
        "400 | GET / HTTP/1.1~Host: x/y~~",
        "400 | GET / HTTP/1.1~Host: x@y~~",
        "400 | GET / HTTP/1.1~Host: x:~~",
        "400 | GET / HTTP/1.1~Host: x:99999~~",
        "400 | GET / HTTP/1.1~Host: [::1~~",
        "400 | GET / HTTP/1.1~Host: []~~",
        "400 | GET / HTTP/1.1~Host: [:]~~",
        "400 | GET / HTTP/1.1~Host: [:::]~~",
        "400 | GET / HTTP/1.1~Host: [::::]~~",
        "400 | GET / HTTP/1.1~Host: [1:2]~~",
        "400 | GET / HTTP/1.1~Host: [.]~~",
        "400 | GET / HTTP/1.1~Host: [1.2.3]~~",
        "400 | GET / HTTP/1.1~Host: [1.2.3.4]~~",
        "400 | GET / HTTP/1.1~Host: [1::2::3]~~",
        "400 | GET / HTTP/1.1~Host: [1:2:3:4:5:6:7:8:9]~~",
        "400 | GET / HTTP/1.1~Host: [1:2:3:4::5:6:7:8]~~",
        "400 | GET / HTTP/1.1~Host: [1:2:3:4:5:6:7:1.2.3.4]~~",
        "400 | GET / HTTP/1.1~Host: [::1:]~~",
        "400 | GET / HTTP/1.1~Host: [:1::]~~",
        "400 | GET / HTTP/1.1~Host: [::12345]~~",
        "400 | GET / HTTP/1.1~Host: [::1.2.3.256]~~",
        "400 | GET / HTTP/1.1~Host: [::1.2.3.04]~~",
        "400 | GET / HTTP/1.1~Host: [::1.2.3.4.5]~~",
        "400 | GET / HTTP/1.1~Host: [::1.2.3.4:5]~~",
        "400 | GET / HTTP/1.1~Host: [fe80::1%25eth0]~~",
        "400 | GET / HTTP/1.1~Host: [v1.x]~~",
        "400 | GET / HTTP/1.1~Host: [::1]:65536~~",
        "400 | GET / HTTP/1.1~Host: [::1]x~~",
        "400 | GET / HTTP/1.1~Host : x~~",
        "400 | GET / HTTP/1.1~ Host: x~~",
        "400 | GET / HTTP/1.1~Host: x~X: a~ b~~",
        "400 | GET / HTTP/1.1~Host: x~X: a~\tb~~",
        "400 | GET / HTTP/1.1~Host: x~: a~~",
        "400 | GET / HTTP/1.1~Host: x~X~~",
        "400 | GET / HTTP/1.1~Host: x~X Y: a~~",
        "400 | GET / HTTP/1.1~Host: x~X: \u0001~~",
        "400 | GET / HTTP/1.1~Host: x~X: \u007f~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: 1~Transfer-Encoding: chunked~~",
        "400 | POST / HTTP/1.1~Host: x~Transfer-Encoding: chunked~Content-Length: 1~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: 1~Content-Length: 1~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: 1~Content-Length: 2~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: 1, 1~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: +1~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: -1~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: 0x1~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length:~~",
        "400 | POST / HTTP/1.1~Host: x~Content-Length: 1234567890123456789~~",
        "400 | POST / HTTP/1.0~Transfer-Encoding: chunked~~",
        "501 | POST / HTTP/1.1~Host: x~Transfer-Encoding: gzip~~",
        "501 | POST / HTTP/1.1~Host: x~Transfer-Encoding: chunked, identity~~",
        "501 | POST / HTTP/1.1~Host: x~Transfer-Encoding: chunked~Transfer-Encoding: chunked~~",
        "417 | POST / HTTP/1.1~Host: x~Expect: 200-ok~~"
      })
  void anyOtherIsRefused(int status, String text) {
    assertThatThrownBy(() -> check(text))
        .isInstanceOfSatisfying(
            Problem.class, problem -> assertThat(problem.status()).isEqualTo(status));
  }

  @Test
  void linesEndInCrLfAndNowhereElseIsOneOfThem() {
    for (String text :
        new String[] {
          "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\rHost", "GET /\0", "\n", "\r\r"
        }) {
      assertThatThrownBy(() -> check(text))
          .as(text)
          .isInstanceOfSatisfying(
              Problem.class, problem -> assertThat(problem.status()).isEqualTo(400));
    }
  }

  @Test
  void aHeadThatGrowsWithoutEndIsRefusedAtTheBound() {
    assertStatus("GET /" + "x".repeat(RequestHead.MOST_LINE_BYTES), 414);
    assertStatus("GET / HTTP/1.1\r\nX: " + "x".repeat(RequestHead.MOST_BYTES), 431);
    assertStatus("GET / HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n".repeat(100) + "\r\n", 431);
    check("GET / HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n".repeat(99) + "\r\n");
  }

  @Test
  void theEndIsFoundHoweverTheBytesArrive() {
    byte[] text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nnext".getBytes(StandardCharsets.ISO_8859_1);
    ByteBuf bytes = Unpooled.buffer();
    end.reset();
    int size = -1;
    for (int i = 0; i < text.length && size < 0; i++) {
      bytes.writeByte(text[i]);
      size = end.find(bytes);
    }
    assertThat(size).isEqualTo(text.length - 4);
  }

  @Test
  void itSaysHowLongTheBodyIs() {
    check("POST / HTTP/1.1~Host: x~Content-Length: 17~~");
    assertThat(head.bodyLength()).isEqualTo(17);
    check("POST /a?b HTTP/1.1~Host: x~Transfer-Encoding: chunked~~");
    assertThat(head.bodyLength()).isEqualTo(-1);
    assertThat(head.path()).isEqualTo("/a");
    check("GET / HTTP/1.1~Host: x~~");
    assertThat(head.bodyLength()).isZero();
  }

  @Test
  void itSaysWhetherTheConnectionEnds() {
    for (String options :
        new String[] {"close", "a, Close", ",\tclose ,b", "a~Connection: close"}) {
      check("GET / HTTP/1.1~Host: x~Connection: " + options + "~~");
      assertThat(head.closes()).as(options).isTrue();
    }
    for (String options : new String[] {"", "closed", "not close", "close;a", "keep-alive, ,"}) {
      check("GET / HTTP/1.1~Host: x~Connection: " + options + "~Connection-X: close~~");
      assertThat(head.closes()).as(options).isFalse();
    }
  }

  private void assertStatus(String text, int status) {
    assertThatThrownBy(() -> check(text))
        .isInstanceOfSatisfying(
            Problem.class, problem -> assertThat(problem.status()).isEqualTo(status));
  }

  private void check(String text) {
    byte[] all = text.replace("~", "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    end.reset();
    int size = end.find(Unpooled.wrappedBuffer(all));
    assertThat(size).as("a whole head").isEqualTo(all.length);
    System.arraycopy(all, 0, head.bytes, 0, size);
    head.check(size);
  }
}
