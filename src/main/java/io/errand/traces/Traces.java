package io.errand.traces;

import io.errand.job.Call;
import io.errand.job.OnFinish.Receiver;
import io.errand.job.TraceContext;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.TraceStateBuilder;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * The spans of jobs (ADR 51): submit, claim, process and webhook, one trace over all processes. It
 * is on where the environment names an exporter, as of {@link Sdk#isWanted}; else every method does
 * next to nothing. Spans name jobs, queues, workers and programs, and never hold arguments,
 * variables, input, output or URLs. Safe from any thread.
 */
@ApplicationScoped
public class Traces {
  private static final int BEFORE_OTHERS = 1;
  private static final int BEHIND_OTHERS = 1_000_000;

  private final MeterRegistry registry;
  private final String version;
  private volatile @Nullable Sdk sdk;

  /** One that is off until the start. */
  public Traces(
      MeterRegistry registry,
      @ConfigProperty(name = "errand.version", defaultValue = "dev") String version) {
    this.registry = registry;
    this.version = version;
  }

  void start(@Observes @Priority(BEFORE_OTHERS) StartupEvent event) {
    Exporting.show(registry);
    if (isWanted()) {
      sdk = Sdk.start(registry, version, hostName());
    }
  }

  void stop(@Observes @Priority(BEHIND_OTHERS) ShutdownEvent event) {
    Sdk running = sdk;
    if (running != null) {
      running.close();
    }
  }

  /**
   * Refuses variables of the environment that make no sense.
   *
   * @throws IllegalArgumentException with a sentence that says which
   */
  public static void check() {
    if (isWanted()) {
      Sdk.start(new SimpleMeterRegistry(), "", null).close();
    }
  }

  /** Whether the environment of this process names an exporter. */
  static boolean isWanted() {
    return Sdk.isWanted(System.getenv());
  }

  /**
   * Begins the span of a submit, or of several that come together.
   *
   * @param call whose trace it continues; it begins one where the call has none
   * @param queue where the jobs go, or null where they go to several
   */
  public SubmitSpan submit(Call call, @Nullable String queue) {
    Sdk running = sdk;
    if (running == null) {
      return new SubmitSpan(call, Span.getInvalid());
    }
    String name = queue == null ? "submit" : "submit " + queue;
    Span span =
        running
            .tracer
            .spanBuilder(name)
            .setParent(parent(call.trace()))
            .setSpanKind(SpanKind.PRODUCER)
            .setAllAttributes(SpanKeys.ofMessage("submit", "send", queue))
            .startSpan();
    SpanContext made = span.getSpanContext();
    TraceContext before = call.trace();
    if (made.isSampled()) {
      String state = before == null ? null : before.state();
      return new SubmitSpan(
          call.in(new TraceContext(made.getTraceId(), made.getSpanId(), 1, state)), span);
    }
    return new SubmitSpan(
        before == null ? call : call.in(before.at(before.spanId(), false)), Span.getInvalid());
  }

  /** Whether spans are made. */
  public boolean isOn() {
    return sdk != null;
  }

  /**
   * The place in its trace that the command of an attempt and what it calls continue: the span of
   * the attempt, or where that is not recorded the place that the job has come with.
   *
   * @param job where the job is in its trace
   */
  public TraceContext ofAttempt(TraceContext job, UUID id, int attempt) {
    Sdk running = sdk;
    if (running == null) {
      return job;
    }
    boolean sampled =
        running
                .sampler
                .shouldSample(
                    parent(job),
                    job.traceId(),
                    "process",
                    SpanKind.CONSUMER,
                    Attributes.empty(),
                    List.of())
                .getDecision()
            == SamplingDecision.RECORD_AND_SAMPLE;
    return job.at(sampled ? Ids.of(id, attempt, Ids.Part.PROCESS) : job.spanId(), sampled);
  }

  /**
   * Makes the spans of an attempt that has ended: its claim, from when it was made until its
   * command started, and below that the run of its command.
   */
  public void ended(Attempt attempt) {
    Sdk running = sdk;
    TraceContext job = attempt.trace();
    if (running == null || !ofAttempt(job, attempt.job(), attempt.number()).isSampled()) {
      return;
    }
    Instant claimed = attempt.claimedAt();
    Instant started = later(attempt.startedAt(), claimed);
    Double seconds = attempt.seconds();
    Instant end =
        seconds == null ? later(Instant.now(), started) : started.plusNanos((long) (seconds * 1e9));
    SpanContext origin = context(job);
    String claimId = Ids.of(attempt.job(), attempt.number(), Ids.Part.CLAIM);
    running.ids.use(claimId);
    Span claim =
        running
            .tracer
            .spanBuilder("claim " + attempt.queue())
            .setParent(parent(job))
            .addLink(origin) // it has ended, long ago perhaps
            .setSpanKind(SpanKind.CLIENT)
            .setStartTimestamp(claimed)
            .setAllAttributes(SpanKeys.ofMessage("claim", "receive", attempt.queue()))
            .setAllAttributes(SpanKeys.of(attempt))
            .startSpan();
    claim.end(attempt.startedAt() == null ? end : started);
    running.ids.use(Ids.of(attempt.job(), attempt.number(), Ids.Part.PROCESS));
    Span process =
        running
            .tracer
            .spanBuilder("process " + attempt.queue())
            .setParent(parent(job.at(claimId, claim.getSpanContext().isSampled())))
            .addLink(origin)
            .setSpanKind(SpanKind.CONSUMER)
            .setStartTimestamp(attempt.startedAt() == null ? end : started)
            .setAllAttributes(SpanKeys.ofMessage("process", "process", attempt.queue()))
            .setAllAttributes(SpanKeys.of(attempt))
            .setAllAttributes(SpanKeys.ofEnd(attempt))
            .startSpan();
    if (attempt.isFailure()) {
      process.setStatus(StatusCode.ERROR, attempt.outcome().wireName());
    }
    process.end(end);
  }

  /**
   * Begins the span of one try of a webhook.
   *
   * @param job where the job is in its trace, or null
   * @param attempt the latest of the job, 0 where there was none
   * @param tries that have ended before
   */
  public WebhookSpan webhook(
      @Nullable TraceContext job, UUID id, int attempt, Receiver receiver, int tries) {
    Sdk running = sdk;
    if (running == null || job == null) {
      return new WebhookSpan(job, Span.getInvalid());
    }
    TraceContext before = attempt == 0 ? job : ofAttempt(job, id, attempt);
    Span span =
        running
            .tracer
            .spanBuilder("POST webhook")
            .setParent(parent(before))
            .addLink(context(before)) // it has ended
            .setSpanKind(SpanKind.CLIENT)
            .setAllAttributes(SpanKeys.ofWebhook(id, receiver, tries))
            .startSpan();
    SpanContext made = span.getSpanContext();
    return new WebhookSpan(
        before.at(made.isSampled() ? made.getSpanId() : before.spanId(), made.isSampled()), span);
  }

  private static Instant later(@Nullable Instant one, Instant other) {
    return one == null || one.isBefore(other) ? other : one;
  }

  private static Context parent(@Nullable TraceContext at) {
    return at == null ? Context.root() : Context.root().with(Span.wrap(context(at)));
  }

  /** The same place, as the SDK has it. */
  static SpanContext context(TraceContext at) {
    TraceStateBuilder state = TraceState.builder();
    if (at.state() != null) {
      List<String> members = List.of(at.state().split(",", -1));
      for (int i = members.size() - 1; i >= 0; i--) { // the last that is put is the first
        String[] member = members.get(i).split("=", 2);
        state.put(member[0], member[1]);
      }
    }
    return SpanContext.createFromRemoteParent(
        at.traceId(), at.spanId(), TraceFlags.fromByte((byte) at.flags()), state.build());
  }

  private static @Nullable String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return null;
    }
  }
}
