package io.errand.queue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.disk.FreeSpace;
import io.errand.job.JobSpec;
import io.errand.store.Notifications;
import io.errand.store.submit.Dependencies;
import io.errand.store.submit.GroupCommit;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.RetryStore;
import io.errand.store.submit.Submission;
import io.errand.store.submit.SubmitStore;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Accepts jobs: durable when it answers, and the same request twice is one job. */
@ApplicationScoped
public class SubmitJob {
  private final SubmitStore store;
  private final RetryStore retries;
  private final GroupCommit groupCommit;
  private final DependentSubmits dependents;
  private final Notifications notifications;
  private final FreeSpace space;
  private final JobIds ids = new JobIds(System::currentTimeMillis);

  SubmitJob(
      SubmitStore store,
      RetryStore retries,
      GroupCommit groupCommit,
      DependentSubmits dependents,
      Notifications notifications,
      FreeSpace space) {
    this.store = store;
    this.retries = retries;
    this.groupCommit = groupCommit;
    this.dependents = dependents;
    this.notifications = notifications;
    this.space = space;
  }

  /**
   * A job that a client submits.
   *
   * @param spec what it asks for
   * @param idempotencyKey makes a repeat harmless, or null
   * @param fingerprint tells a repeat from another request
   * @param dependencies the jobs that it is to wait for
   */
  public record Request(
      JobSpec spec,
      @Nullable String idempotencyKey,
      Fingerprint fingerprint,
      RequestedDependencies dependencies) {}

  /**
   * Accepts one job under an id of ours.
   *
   * @return as of {@link GroupCommit#submit}
   */
  public CompletableFuture<Submission> submit(String principal, Request request) {
    space.require();
    return store(newJob(ids.next(), principal, request));
  }

  /**
   * Accepts one job under the client's own id.
   *
   * @return as of {@link GroupCommit#submit}
   */
  public CompletableFuture<Submission> submitAs(UUID id, String principal, Request request) {
    space.require();
    return store(newJob(id, principal, request));
  }

  private CompletableFuture<Submission> store(NewJob job) {
    return job.dependencies().isEmpty() ? groupCommit.submit(job) : dependents.submit(job);
  }

  /** Accepts a new job that tries a finished one again. */
  public Submission retry(UUID finished, String principal, @Nullable String idempotencyKey)
      throws SQLException {
    space.require();
    ObjectNode request = JsonNodeFactory.instance.objectNode().put("retry_of", finished.toString());
    Submission submission =
        retries.retry(
            finished, ids.next(), principal, idempotencyKey, Fingerprint.of(request).hex());
    if (submission instanceof Submission.Accepted) {
      notifications.send(Notifications.Topic.READY);
    }
    return submission;
  }

  /**
   * Accepts all of the jobs or none. A key that comes twice with one request is one job.
   *
   * @return one answer per request, in order; where one of them is a refusal nothing was stored,
   *     whatever the others say
   */
  public List<Submission> submitAll(String principal, List<Request> requests) throws SQLException {
    space.require();
    List<Request> wanted = new ArrayList<>();
    List<NewJob> jobs = new ArrayList<>();
    Map<String, Integer> placeOfKey = new HashMap<>();
    int[] places = new int[requests.size()];
    boolean[] contradicts = new boolean[places.length];
    boolean contradiction = false;
    for (int i = 0; i < places.length; i++) {
      Request request = requests.get(i);
      String key = request.idempotencyKey();
      Integer known = key == null ? null : placeOfKey.putIfAbsent(key, jobs.size());
      places[i] = known == null ? jobs.size() : known;
      if (known == null) {
        wanted.add(request);
        jobs.add(newJob(ids.next(), principal, request));
      } else {
        contradicts[i] = !jobs.get(known).fingerprint().equals(request.fingerprint().hex());
        contradiction |= contradicts[i];
      }
    }
    List<Submission> answers =
        contradiction
            ? jobs.stream()
                .<Submission>map(job -> new Submission.Accepted(job.id(), null, ""))
                .toList()
            : storeAll(wanted, jobs, places);
    notifications.send(Notifications.Topic.READY);
    return IntStream.range(0, places.length)
        .mapToObj(
            i ->
                contradicts[i]
                    ? new Submission.Conflict(jobs.get(places[i]).id())
                    : answers.get(places[i]))
        .toList();
  }

  /**
   * Stores jobs of a batch.
   *
   * @param places of each request of the batch, which of the jobs it is
   */
  private List<Submission> storeAll(List<Request> wanted, List<NewJob> jobs, int[] places)
      throws SQLException {
    if (wanted.stream().allMatch(request -> request.dependencies().after().isEmpty())) {
      return store.submitAll(jobs);
    }
    List<NewJob> dependent = new ArrayList<>(jobs.size());
    for (int i = 0; i < jobs.size(); i++) {
      NewJob job = jobs.get(i);
      dependent.add(
          job.waitingFor(
              dependencies(wanted.get(i).dependencies(), place -> jobs.get(places[place]).id())));
    }
    return dependents.submitAll(dependent);
  }

  private static NewJob newJob(UUID id, String principal, Request request) {
    NewJob job =
        new NewJob(
            id, request.spec(), principal, request.idempotencyKey(), request.fingerprint().hex());
    return request.dependencies().after().isEmpty()
        ? job
        : job.waitingFor(dependencies(request.dependencies(), place -> id));
  }

  private static Dependencies dependencies(
      RequestedDependencies requested, IntFunction<UUID> idOfPlace) {
    return new Dependencies(
        requested.after().stream()
            .map(one -> one.id() == null ? idOfPlace.apply(one.place()) : one.id())
            .toList(),
        requested.onFailure());
  }
}
