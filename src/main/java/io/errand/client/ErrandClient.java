package io.errand.client;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * A client of an Errand server. May be used by any number of threads at once; each call waits for
 * its answer, and ends with an {@link IOException} when its thread is interrupted.
 *
 * <pre>{@code
 * ErrandClient errand = ErrandClient.connect("http://127.0.0.1:8080", token);
 * Job job = errand.submit(JobRequest.command("echo", "hello"), "greeting-1");
 * job = errand.await(job.id(), Duration.ofMinutes(5));
 * }</pre>
 *
 * <p>Every call throws {@link ProblemException} where the server refuses it, and {@link
 * IOException} where no answer comes. Ids are UUIDs; another text is refused.
 */
public final class ErrandClient {
  /** How often a submit is sent in all, where no answer comes. */
  private static final int MOST_SUBMITS = 3;

  private static final int LONGEST_WAIT_SECONDS = 30;
  private static final int UNAVAILABLE = 503;

  private final ApiConnection api;

  /** A client over a connection of one's own. */
  public ErrandClient(ApiConnection api) {
    this.api = api;
  }

  /**
   * A client by the HTTP client of the JDK.
   *
   * @param url such as {@code http://127.0.0.1:8080}, with the prefix of a proxy if there is one
   * @param token a key, or the token of the data directory
   */
  public static ErrandClient connect(String url, String token) {
    String plain = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    return new ErrandClient(
        new ApiConnection(new HttpClientTransport(), () -> plain, () -> token, Optional::empty));
  }

  /** For routes that have no method here. */
  public ApiConnection api() {
    return api;
  }

  /** Submits a job under a random key, so that it is stored once although it may be sent again. */
  public Job submit(JobRequest request) throws IOException {
    return submit(request, UUID.randomUUID().toString());
  }

  /**
   * Submits a job. Where no answer comes, the request is repeated with the same key, {@value
   * #MOST_SUBMITS} times in all.
   *
   * @param idempotencyKey 1 to 255 printable characters of ASCII: one key is one job
   * @return the new job, or as it is now the one that this key has already
   */
  public Job submit(JobRequest request, String idempotencyKey) throws IOException {
    return repeated("/v1/jobs", request.fields(), idempotencyKey);
  }

  /**
   * Submits a finished job again.
   *
   * @return the new job
   */
  public Job retry(String id, String idempotencyKey) throws IOException {
    return repeated(path(id) + "/retry", Map.of(), idempotencyKey);
  }

  private Job repeated(String path, Map<String, Object> body, String key) throws IOException {
    Patience pauses = new Patience();
    for (int left = MOST_SUBMITS - 1; ; left--) {
      try {
        return new Job(
            api.json("POST", path, Optional.of(body), ApiConnection.idempotencyKey(key)));
      } catch (Json.MalformedException e) {
        throw e;
      } catch (IOException e) {
        if (left == 0 || Thread.currentThread().isInterrupted()) {
          throw e;
        }
      } catch (ProblemException e) {
        if (left == 0 || e.status() != UNAVAILABLE) {
          throw e;
        }
      }
      pauses.pause();
    }
  }

  /** The job as it is now. */
  public Job get(String id) throws IOException {
    return new Job(api.get(path(id)));
  }

  /**
   * Waits until a job has finished, across restarts of the server.
   *
   * @param atMost how long, to the second
   * @return the job, which has not finished if the time was up
   */
  public Job await(String id, Duration atMost) throws IOException {
    long deadline = System.nanoTime() + atMost.toNanos();
    Patience patience = new Patience();
    Job job = get(id);
    patience.answered();
    while (!job.isFinal() && deadline - System.nanoTime() > 0) {
      long seconds = Duration.ofNanos(deadline - System.nanoTime()).toSeconds() + 1;
      try {
        long wait = Math.min(LONGEST_WAIT_SECONDS, seconds);
        job = new Job(api.get(path(id) + "?wait_seconds=" + wait));
        patience.answered();
      } catch (Json.MalformedException e) {
        throw e;
      } catch (IOException e) {
        patience.failed(e);
      } catch (ProblemException e) {
        patience.failed(e);
      }
    }
    return job;
  }

  /** Cancels a job; one that runs is asked to end, and has not ended yet when this returns. */
  public Job cancel(String id) throws IOException {
    return new Job(api.json("POST", path(id) + "/cancel", Optional.of(Map.of()), Map.of()));
  }

  /** The first page of a list. */
  public JobPage list(JobFilter filter) throws IOException {
    Map<String, Object> answer = api.get("/v1/jobs" + filter.query());
    List<Job> jobs = new ArrayList<>();
    if (answer.get("jobs") instanceof List<?> list) {
      for (Object one : list) {
        jobs.add(new Job(Json.asObject(one)));
      }
    }
    return new JobPage(
        List.copyOf(jobs),
        Optional.ofNullable(answer.get("next_page_token"))
            .map(Object::toString)
            .filter(token -> !token.isEmpty()));
  }

  /**
   * The page that a page before has named.
   *
   * @param filter the same as of that page
   */
  public JobPage list(JobFilter filter, String next) throws IOException {
    return list(filter.with("page_token", next));
  }

  /** Hands over all jobs of a list, page by page. */
  public void forEach(JobFilter filter, Consumer<Job> action) throws IOException {
    JobPage page = list(filter);
    page.jobs().forEach(action);
    while (page.next().isPresent()) {
      page = list(filter, page.next().get());
      page.jobs().forEach(action);
    }
  }

  /**
   * Hands over what a job prints while it prints it, until it has finished. A connection that
   * breaks is made again, and goes on behind the last byte.
   *
   * @param from where to begin, such as {@link Output.Position#START}
   */
  public Output.End output(String id, Output.Position from, Output.Handler handler)
      throws IOException {
    return new OutputReader(api, checked(id), from, handler).read();
  }

  private static String path(String id) {
    return "/v1/jobs/" + checked(id);
  }

  /** An id that is none could name another route. */
  private static String checked(String id) {
    boolean isPlain =
        id.length() == 36
            && id.chars().allMatch(c -> c == '-' || Character.digit(c, 16) >= 0 && c < 128);
    if (!isPlain) {
      throw new IllegalArgumentException("An id of a job is a UUID, and this is none: " + id);
    }
    return id;
  }
}
