package io.errand.queue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.disk.FreeSpace;
import io.errand.job.Access;
import io.errand.job.Call;
import io.errand.job.JobSpec;
import io.errand.meters.Metric;
import io.errand.queue.QueueRules.Meeting;
import io.errand.store.Notifications;
import io.errand.store.submit.AdmittingStore;
import io.errand.store.submit.Candidate;
import io.errand.store.submit.Dependencies;
import io.errand.store.submit.GroupCommit;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Overload;
import io.errand.store.submit.RetryStore;
import io.errand.store.submit.RetryStore.Wanted;
import io.errand.store.submit.Submission;
import io.errand.store.submit.SubmitStore;
import io.errand.traces.SubmitSpan;
import io.errand.traces.Traces;
import io.micrometer.core.instrument.MeterRegistry;
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
  private final KnownQueues queues;
  private final AdmittingStore admitting;
  private final MeterRegistry meters;
  private final SealInputs seals;
  private final Traces traces;
  private final JobIds ids = new JobIds(System::currentTimeMillis);

  SubmitJob(
      SubmitStore store,
      AdmittingStore admitting,
      RetryStore retries,
      GroupCommit groupCommit,
      KnownQueues queues,
      DependentSubmits dependents,
      Notifications notifications,
      FreeSpace space,
      MeterRegistry meters,
      SealInputs seals,
      Traces traces) {
    this.traces = traces;
    this.meters = meters;
    this.seals = seals;
    this.store = store;
    this.admitting = admitting;
    this.queues = queues;
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
   * @param rules what queues say, as it was when the request was read
   * @return as of {@link GroupCommit#submit}
   */
  public CompletableFuture<Submission> submit(
      Access access, Call call, Request request, QueueRules rules) {
    return submitAs(ids.next(), access, call, request, rules);
  }

  /**
   * Accepts one job under the client's own id.
   *
   * @param rules what queues say, as it was when the request was read
   * @return as of {@link GroupCommit#submit}
   */
  public CompletableFuture<Submission> submitAs(
      UUID id, Access access, Call call, Request request, QueueRules rules) {
    space.require();
    SubmitSpan span = traces.submit(call, request.spec().queue());
    return SpanEnds.of(span, submit(newJob(id, access, request).by(span.call()), rules));
  }

  private CompletableFuture<Submission> submit(NewJob job, QueueRules rules) {
    Meeting meeting = rules.of(job.spec().queue());
    if (!job.dependencies().isEmpty()) {
      return dependents
          .submit(new Candidate(job, meeting.refusal()))
          .thenApply(submission -> said(submission, meeting, rules));
    }
    if (meeting.equals(Meeting.NOTHING)) {
      return groupCommit.submit(job);
    }
    CompletableFuture<Submission> stored =
        meeting.isPlain()
            ? groupCommit.submit(job)
            : groupCommit.submitAdmitted(job, meeting.refusal());
    return stored.thenApply(submission -> said(submission, meeting, rules));
  }

  /**
   * What a request gets that was stored before, whatever stands against it now.
   *
   * @param key of the request, or null where it names an id
   * @param id that it names, or null
   * @return null where this caller has used neither
   */
  public @Nullable Submission earlier(
      Access access, @Nullable String key, @Nullable UUID id, Fingerprint fingerprint)
      throws SQLException {
    return store.earlier(access.principal(), key, id, fingerprint.hex());
  }

  /** With what the queue says, and when a refused one is worth to be tried again. */
  private Submission said(Submission submission, Meeting meeting, QueueRules rules) {
    if (submission instanceof Submission.Refused refused) {
      Overload overload = refused.overload();
      count(overload, "refused");
      return new Submission.Refused(overload, rules.retryAfterSeconds(overload));
    }
    if (submission instanceof Submission.Accepted accepted) {
      Overload overload = accepted.overload() == null ? meeting.warning() : accepted.overload();
      if (overload != null) {
        count(overload, "warned");
        return accepted.with(overload);
      }
    }
    return submission;
  }

  private void count(Overload overload, String answer) {
    Metric.SUBMITS_OVERLOADED.counter(meters, overload.kind().wireName(), answer).increment();
  }

  /** Accepts a new job that tries a finished one again. */
  public Submission retry(UUID finished, Access access, Call call, @Nullable String idempotencyKey)
      throws SQLException {
    space.require();
    SubmitSpan span = traces.submit(call, null);
    return SpanEnds.of(
        span,
        () -> {
          if (span.isRecorded()) {
            span.link(retries.traceOf(finished, access));
          }
          return retry(finished, access, idempotencyKey, span.call());
        });
  }

  private Submission retry(UUID finished, Access access, @Nullable String idempotencyKey, Call call)
      throws SQLException {
    ObjectNode request = JsonNodeFactory.instance.objectNode().put("retry_of", finished.toString());
    Wanted wanted =
        new Wanted(
            finished, ids.next(), access, idempotencyKey, Fingerprint.of(request).hex(), call);
    QueueRules rules = queues.now();
    String queue = rules.isSilent() ? null : retries.queueOf(finished, access);
    Meeting meeting = queue == null ? Meeting.NOTHING : rules.of(queue);
    Submission stored =
        queue == null || meeting.isPlain()
            ? retries.retry(wanted)
            : retries.retryAdmitted(wanted, queue, meeting.refusal());
    Submission submission = said(stored, meeting, rules);
    if (submission instanceof Submission.Accepted) {
      notifications.send(Notifications.Topic.READY);
    }
    return submission;
  }

  /**
   * Accepts the job of a schedule that somebody runs by hand.
   *
   * @param schedule by name
   */
  public Submission run(String schedule, Access access, Call call, Request request)
      throws SQLException {
    space.require();
    SubmitSpan span = traces.submit(call, request.spec().queue());
    NewJob job = newJob(ids.next(), access, request).of(schedule, null).by(span.call());
    return SpanEnds.of(span, () -> run(job));
  }

  private Submission run(NewJob job) throws SQLException {
    QueueRules rules = queues.now();
    Meeting meeting = rules.of(job.spec().queue());
    Submission stored = admitting.submitAll(List.of(new Candidate(job, meeting.refusal()))).get(0);
    notifications.send(Notifications.Topic.READY);
    return said(stored, meeting, rules);
  }

  /**
   * Accepts all of the jobs or none. A key that comes twice with one request is one job.
   *
   * @param rules what queues say, as it was when the requests were read
   * @return one answer per request, in order; where one of them is a refusal nothing was stored,
   *     whatever the others say
   */
  public List<Submission> submitAll(
      Access access, Call call, List<Request> requests, QueueRules rules) throws SQLException {
    space.require();
    SubmitSpan span = traces.submit(call, null);
    return SpanEnds.ofAll(span, () -> submitAll(access, requests, rules, span.call()));
  }

  private List<Submission> submitAll(
      Access access, List<Request> requests, QueueRules rules, Call call) throws SQLException {
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
        jobs.add(newJob(ids.next(), access, request).by(call));
      } else {
        contradicts[i] = !jobs.get(known).fingerprint().equals(request.fingerprint().hex());
        contradiction |= contradicts[i];
      }
    }
    List<Submission> answers =
        contradiction
            ? jobs.stream()
                .<Submission>map(job -> new Submission.Accepted(job.id(), null, "", null))
                .toList()
            : storeAll(wanted, jobs, places, rules);
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
  private List<Submission> storeAll(
      List<Request> wanted, List<NewJob> jobs, int[] places, QueueRules rules) throws SQLException {
    List<Meeting> meetings = jobs.stream().map(job -> rules.of(job.spec().queue())).toList();
    List<Submission> stored;
    if (wanted.stream().anyMatch(request -> !request.dependencies().after().isEmpty())) {
      stored = dependents.submitAll(candidates(waiting(wanted, jobs, places), meetings));
    } else if (meetings.stream().allMatch(Meeting::isPlain)) {
      stored = store.submitAll(jobs);
    } else {
      stored = admitting.submitAll(candidates(jobs, meetings));
    }
    return IntStream.range(0, jobs.size())
        .mapToObj(i -> said(stored.get(i), meetings.get(i), rules))
        .toList();
  }

  private static List<Candidate> candidates(List<NewJob> jobs, List<Meeting> meetings) {
    return IntStream.range(0, jobs.size())
        .mapToObj(i -> new Candidate(jobs.get(i), meetings.get(i).refusal()))
        .toList();
  }

  /** The jobs with the ids of those that they wait for. */
  private static List<NewJob> waiting(List<Request> wanted, List<NewJob> jobs, int[] places) {
    return IntStream.range(0, jobs.size())
        .mapToObj(
            i ->
                jobs.get(i)
                    .waitingFor(
                        dependencies(
                            wanted.get(i).dependencies(), place -> jobs.get(places[place]).id())))
        .toList();
  }

  private NewJob newJob(UUID id, Access access, Request request) {
    NewJob job =
        new NewJob(
            id, request.spec(), access, request.idempotencyKey(), request.fingerprint().hex());
    return seals.seal(
        request.dependencies().after().isEmpty()
            ? job
            : job.waitingFor(dependencies(request.dependencies(), place -> id)));
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
