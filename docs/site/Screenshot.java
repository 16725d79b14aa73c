import io.errand.client.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes the picture of the console that the README shows: starts {@code ./errand demo}, lets its
 * jobs run for a while, and has Chromium sign in, open a page and draw it. Started by {@code
 * docs/screenshot}.
 */
public final class Screenshot implements WebSocket.Listener {
  private static final int MOST_BYTES = 200_000;
  private static final int MOST_SECONDS = 240; // for each step
  private static final int WORK_SECONDS = 40; // so that there is something to see

  private final Map<Integer, CompletableFuture<Map<String, Object>>> answers =
      new ConcurrentHashMap<>();
  private final AtomicInteger ids = new AtomicInteger();
  private final StringBuilder text = new StringBuilder();
  private WebSocket socket;
  private String session = "";

  public static void main(String[] arguments) throws Exception {
    Path checkout = Path.of(arguments[0]);
    Path target = Path.of(arguments[1]);
    String page = arguments.length > 2 ? arguments[2] : "";
    Path profile = Files.createTempDirectory("errand-chromium");
    Process demo =
        new ProcessBuilder(checkout.resolve("errand").toString(), "demo", "--for", "600")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(demo::destroy));
    List<String> command = new ArrayList<>(List.of(chromium(), "--headless=new", "--remote-debugging-port=0"));
    command.addAll(List.of("--user-data-dir=" + profile, "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "about:blank"));
    Process browser = null;
    try {
      Matcher link = awaitLine(demo.getInputStream(), "Open the console: (\\S+)");
      TimeUnit.SECONDS.sleep(WORK_SECONDS);
      browser = new ProcessBuilder(command).start();
      Runtime.getRuntime().addShutdownHook(new Thread(browser::destroy));
      Matcher address = awaitLine(browser.getErrorStream(), "DevTools listening on (\\S+)");
      byte[] png = new Screenshot().take(address.group(1), link.group(1), page);
      if (png.length >= MOST_BYTES) {
        throw new IllegalStateException("The picture has " + png.length + " bytes");
      }
      Files.write(target, png);
      System.out.println(target + ": " + png.length + " bytes");
    } finally {
      end(browser);
      end(demo);
      delete(profile);
    }
  }

  private static String chromium() {
    for (String folder : System.getenv("PATH").split(":")) {
      for (String name : new String[] {"chromium", "chromium-browser", "google-chrome"}) {
        if (Files.isExecutable(Path.of(folder, name))) {
          return Path.of(folder, name).toString();
        }
      }
    }
    throw new IllegalStateException("This needs Chromium, and the PATH has none");
  }

  private static void end(Process process) throws InterruptedException {
    if (process != null) {
      process.destroy();
      if (!process.waitFor(90, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static Matcher awaitLine(java.io.InputStream in, String expression) throws Exception {
    return CompletableFuture.supplyAsync(
            () -> {
              try {
                BufferedReader lines =
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                  Matcher found = Pattern.compile(expression).matcher(line);
                  if (found.find()) {
                    return found;
                  }
                }
                throw new IllegalStateException("Nothing printed " + expression);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            })
        .get(MOST_SECONDS, TimeUnit.SECONDS);
  }

  private byte[] take(String address, String link, String page) throws Exception {
    socket =
        HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(URI.create(address), this)
            .get(MOST_SECONDS, TimeUnit.SECONDS);
    String id = call("Target.createTarget", Map.of("url", link)).get("targetId").toString();
    session = call("Target.attachToTarget", Map.of("targetId", id, "flatten", true)).get("sessionId").toString();
    call("Emulation.setDeviceMetricsOverride", Map.of("width", 1280, "height", 800, "deviceScaleFactor", 1, "mobile", false));
    await("!!document.querySelector('nav.side')"); // the page behind the link signs in by itself
    String base = link.replaceFirst("/login\\?.*", "");
    call("Page.navigate", Map.of("url", base + page));
    await("document.readyState === 'complete' && !!document.querySelector('nav.side')");
    TimeUnit.SECONDS.sleep(4); // the charts are drawn
    Object data = call("Page.captureScreenshot", Map.of("format", "png")).get("data");
    socket.abort();
    return Base64.getDecoder().decode(data.toString());
  }

  private void await(String condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(MOST_SECONDS);
    while (!Boolean.TRUE.equals(evaluate(condition))) {
      if (System.nanoTime() - deadline > 0) {
        throw new IllegalStateException("It does not come: " + condition);
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
  }

  /** The value of an expression; null where the page goes away before it has one. */
  private Object evaluate(String expression) throws Exception {
    try {
      Map<String, Object> answer =
          send("Runtime.evaluate", Map.of("expression", expression)).get(5, TimeUnit.SECONDS);
      return answer.get("result") instanceof Map<?, ?> map ? map.get("value") : null;
    } catch (ExecutionException | TimeoutException e) {
      return null;
    }
  }

  private Map<String, Object> call(String method, Map<String, Object> parameters) throws Exception {
    return send(method, parameters).get(MOST_SECONDS, TimeUnit.SECONDS);
  }

  private CompletableFuture<Map<String, Object>> send(
      String method, Map<String, Object> parameters) throws Exception {
    int id = ids.incrementAndGet();
    CompletableFuture<Map<String, Object>> answer = new CompletableFuture<>();
    answers.put(id, answer);
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("id", id);
    message.put("method", method);
    message.put("params", parameters);
    if (!session.isEmpty()) {
      message.put("sessionId", session);
    }
    socket.sendText(Json.write(message), true).get(MOST_SECONDS, TimeUnit.SECONDS);
    return answer;
  }

  @Override
  public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean isLast) {
    text.append(part);
    if (isLast) {
      try {
        Map<String, Object> message = Json.object(text.toString());
        CompletableFuture<Map<String, Object>> waiting =
            message.get("id") instanceof Integer id ? answers.remove(id) : null;
        if (waiting != null && message.get("result") instanceof Map<?, ?> result) {
          Map<String, Object> values = new LinkedHashMap<>();
          result.forEach((name, value) -> values.put(name.toString(), value));
          waiting.complete(values);
        } else if (waiting != null) {
          waiting.completeExceptionally(new IllegalStateException(text.toString()));
        }
      } catch (Json.MalformedException e) {
        answers.values().forEach(each -> each.completeExceptionally(e));
      }
      text.setLength(0);
    }
    from.request(1);
    return null;
  }
}
