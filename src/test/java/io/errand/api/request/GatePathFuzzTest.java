package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.api.access.KeysResource;
import io.errand.api.access.MeResource;
import io.errand.api.bulk.BulkResource;
import io.errand.api.fleet.FleetResource;
import io.errand.api.jobs.JobsResource;
import io.errand.api.problem.Routes;
import io.errand.api.problem.Routes.Route;
import io.errand.api.queues.QueueResource;
import io.errand.api.schedules.SchedulesResource;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** No path passes the gate that a router could read in another way than the gate. */
@Tag("fuzz")
class GatePathFuzzTest {
  private static final String CHARACTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/";

  private static final Pattern ESCAPE = Pattern.compile("%([0-9A-Fa-f]{2})");
  private static final Routes ROUTES =
      Routes.of(
          List.of(
              JobsResource.class,
              BulkResource.class,
              QueueResource.class,
              SchedulesResource.class,
              KeysResource.class,
              MeResource.class,
              FleetResource.class));

  /** Whether the listener lets it through. */
  private static boolean isListened(String path) {
    for (int i = 0; i < path.length(); i++) {
      boolean isEscape =
          path.charAt(i) == '%'
              && i + 2 < path.length()
              && Character.digit(path.charAt(i + 1), 16) >= 0
              && Character.digit(path.charAt(i + 2), 16) >= 0;
      if (!isEscape && CHARACTERS.indexOf(path.charAt(i)) < 0) {
        return false;
      }
    }
    return path.startsWith("/") && !path.startsWith("//");
  }

  private static void checkIsPlain(String path) {
    assertThat(path).startsWith("/v1/").doesNotContain(";", "//", "\\").doesNotEndWith("/");
    Matcher escapes = ESCAPE.matcher(path);
    while (escapes.find()) {
      char c = (char) Integer.parseInt(escapes.group(1), 16);
      assertThat(Character.isLetterOrDigit(c) && c < 128 || "-._~".indexOf(c) >= 0).isFalse();
    }
    for (String segment : path.substring(1).split("/", -1)) {
      assertThat(segment).isNotIn("", ".", "..");
    }
  }

  private static void checkRoute(String path, Route route) {
    String[] segments = path.substring(1).split("/", -1);
    assertThat(segments).hasSize(route.segments().size());
    for (int i = 0; i < segments.length; i++) {
      String wanted = route.segments().get(i);
      assertThat(wanted.startsWith("{") || wanted.equals(segments[i])).isTrue();
    }
  }

  @FuzzTest
  @Timeout(60)
  void whatPassesIsWrittenAsItIsRouted(byte[] bytes) {
    String path = new String(bytes, StandardCharsets.ISO_8859_1);
    if (!isListened(path)) {
      return;
    }
    String normalized = io.vertx.core.http.impl.HttpUtils.normalizePath(path);
    if (!Gate.isServed(path, normalized)) {
      return;
    }
    assertThat(normalized).isEqualTo(path);
    checkIsPlain(path);
    Route route = ROUTES.find(path);
    if (route != null) {
      checkRoute(path, route);
    }
  }
}
