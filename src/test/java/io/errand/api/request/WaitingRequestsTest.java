package io.errand.api.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.api.fleet.FleetResource;
import io.errand.api.jobs.JobsResource;
import io.errand.api.live.LiveResource;
import io.errand.api.problem.Routes;
import io.errand.api.submit.SubmitResource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which requests count as long polls and streams, and which route a path is of. */
class WaitingRequestsTest {
  private static final Routes ROUTES =
      Routes.of(
          List.of(
              JobsResource.class, LiveResource.class, SubmitResource.class, FleetResource.class));

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/jobs/x, wait_seconds=60, ",
    "GET, /v1/jobs/x, a=b&wait_seconds=0.1, ",
    "GET, /v1/jobs/x, , wait=5",
    "GET, /v1/jobs/x, a, wait=5",
    "GET, /v1/jobs/x/output/stream, , "
  })
  void whatWaitsIsCountedAsWaiting(
      String method, String path, @Nullable String query, @Nullable String prefer) {
    assertThat(waits(method, path, query, prefer)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/jobs/x, , ",
    "GET, /v1/jobs/x, wait_seconds=0, wait=5",
    "GET, /v1/jobs/x, wait_seconds=0.000, ",
    "GET, /v1/jobs/x, no_wait_seconds=9&wait_seconds, ",
    "GET, /v1/jobs/x, , wait=0",
    "GET, /v1/jobs/x, , respond-async",
    "HEAD, /v1/jobs/x, wait_seconds=60, ",
    "PUT, /v1/jobs/x, wait_seconds=60, wait=5",
    "GET, /v1/jobs, wait_seconds=60, wait=5",
    "POST, /v1/jobs, wait_seconds=60, wait=5",
    "GET, /v1/jobs/batch, wait_seconds=60, wait=5",
    "GET, /v1/jobs/x/output, wait_seconds=60, wait=5",
    "GET, /v1/queues/q, wait_seconds=60, wait=5",
    "GET, /v1/nothing, wait_seconds=60, wait=5",
    "HEAD, /v1/jobs/x/output/stream, , ",
    "GET, /v1/queues/output/stream, , "
  })
  void whatDoesNotWaitIsNotWhateverItSays(
      String method, String path, @Nullable String query, @Nullable String prefer) {
    assertThat(waits(method, path, query, prefer)).isFalse();
  }

  @Test
  void aPathIsOfOneRouteOrOfNone() {
    assertThat(template("/v1/jobs")).isEqualTo("/v1/jobs");
    assertThat(template("/v1/jobs/batch")).isEqualTo("/v1/jobs/batch");
    assertThat(template("/v1/jobs/batches")).isEqualTo("/v1/jobs/{id}");
    assertThat(template("/v1/jobs/batch/events")).isEqualTo("/v1/jobs/{id}/events");
    for (String path :
        List.of(
            "",
            "/",
            "v1/jobs",
            "/v1",
            "/v1/",
            "/v1/job",
            "/v1/jobsx",
            "/v1/jobs/x/",
            "/v1/jobs//events")) {
      assertThat(ROUTES.find(path)).as(path).isNull();
    }
  }

  private static @Nullable String template(String path) {
    Routes.Route route = ROUTES.find(path);
    return route == null ? null : route.template();
  }

  private static boolean waits(
      String method, String path, @Nullable String query, @Nullable String prefer) {
    return BlockingRequests.waits(
        ROUTES.find(path), method, query, prefer == null ? List.of() : List.of(prefer));
  }
}
