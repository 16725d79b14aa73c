package io.errand.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever a server answers, the client ends with a sentence and a status of its own. */
@Timeout(300)
class HostileServerIT {
  private static final String ID = "01a22a41-a8b5-704b-92d7-499d4e04a350";
  private static final String JSON = "application/json";
  private static final String EVENTS = "text/event-stream";

  @TempDir Path home;

  /** What the client does where every call gets this answer; ~ is ESC and | the end of a line. */
  private Cli answer(String type, String body, String... arguments) throws IOException {
    return answer(type, List.of(body.replace('~', '\u001b').replace('|', '\n')), arguments);
  }

  private Cli answer(String type, List<String> parts, String... arguments) throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Thread server = new Thread(() -> serve(socket, type, parts));
      server.setDaemon(true);
      server.start();
      String[] more = java.util.Arrays.copyOfRange(arguments, 1, arguments.length);
      return Cli.answer(
          home,
          Map.of("ERRAND_URL", "http://127.0.0.1:" + socket.getLocalPort(), "ERRAND_TOKEN", "t"),
          arguments[0],
          more);
    }
  }

  private static void serve(ServerSocket socket, String type, List<String> parts) {
    while (!socket.isClosed()) {
      try (Socket client = socket.accept()) {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
          head.append((char) client.getInputStream().read());
        }
        boolean isSubmit = head.toString().startsWith("POST /v1/jobs ");
        String of = isSubmit ? JSON : type;
        String begin = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " + of + "\r\n\r\n";
        client.getOutputStream().write(begin.getBytes(StandardCharsets.UTF_8));
        for (String part : isSubmit ? List.of("{\"id\":\"" + ID + "\"}") : parts) {
          client.getOutputStream().write(part.getBytes(StandardCharsets.UTF_8));
        }
        client.shutdownOutput();
        client.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
      } catch (IOException e) {
        // The client has left, or the test has ended.
      }
    }
  }

  private static void assertSaid(Cli client) {
    assertThat(client.exitCode()).as(client.stderr()).isEqualTo(69);
    assertThat(client.stderr())
        .startsWith("errand: ")
        .contains("an Errand server")
        .doesNotContain("\tat ", "Exception", "java.", "\u001b");
    assertThat(client.stdout()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '`',
      value = {
        "list ! {\"jobs\":\"abc\"}",
        "list ! {\"jobs\":[1,2,null]}",
        "list ! null",
        "list ! [1,2,null]",
        "list ! {\"jobs\":[{\"id\":\"~[31m",
        "queues ! {\"queues\":[{\"name\":\"x\",\"counts\":5}]}",
        "events ! {\"events\":[{\"to\":\"queued\"},5]}"
      })
  void anAnswerOfAnotherShapeIsToldInASentence(String verb, String body) throws IOException {
    assertSaid(verb.equals("events") ? answer(JSON, body, verb, ID) : answer(JSON, body, verb));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '`',
      value = {
        "event: gap|id: ~[31m:0|data: {\"stream\":\"stdout\",\"from\":0,\"to\":5}||",
        "event: gap|id: 1|data: {\"stream\":\"stdout\",\"from\":0,\"to\":5}||",
        "event: gap|id: 1:0:0|data: {\"stream\":\"stdout\",\"from\":0,\"to\":9e300}||",
        "event: stdout|id: 1:0:0|data: {\"attempt\":1,\"offset\":0,\"base64\":\"***\"}||",
        "event: stdout|id: 1:0:0|data: {\"attempt\":4294967297,\"text\":\"\"}||"
      })
  void anEventOfAnotherShapeIsToldInASentence(String events) throws IOException {
    assertSaid(answer(EVENTS, events, "logs", "-f", ID));
  }

  @Test
  void whatDoesNotEndIsNotKept() throws IOException {
    List<String> endless = java.util.Collections.nCopies(1_000, "a".repeat(64 * 1024));
    List<String> line = new java.util.ArrayList<>(List.of("data: "));
    line.addAll(endless);
    assertSaid(answer(EVENTS, line, "logs", "-f", ID));
    List<String> text = new java.util.ArrayList<>(List.of("{\"jobs\":\""));
    text.addAll(endless);
    assertSaid(answer(JSON, text, "list"));
  }

  @Test
  void anExitCodeThatIsNoneIsNoSuccess() throws IOException {
    for (String code : List.of("4294967296", "18446744073709551616", "256", "-256", "0.5")) {
      String end = "event: end|data: {\"state\":\"failed\",\"exit_code\":" + code + "}||";
      Cli run = answer(EVENTS, end, "run", "--", "true");
      assertThat(run.exitCode()).as(code).isEqualTo(125);
    }
  }
}
