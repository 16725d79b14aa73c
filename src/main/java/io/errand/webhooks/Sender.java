package io.errand.webhooks;

import io.errand.job.OnFinish;
import io.errand.job.TraceContext;
import io.errand.secrets.SecretFiles;
import io.errand.secrets.Unreadable;
import io.errand.store.webhooks.ClaimedDelivery;
import io.errand.store.webhooks.DeliveryState;
import io.errand.store.webhooks.DeliveryStore.Result;
import io.errand.text.Visible;
import io.errand.traces.Traces;
import io.errand.traces.WebhookSpan;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** One try of a delivery: what is sent, and what follows the answer. */
final class Sender {
  private static final int MOST_ERROR_CHARACTERS = 300;

  private final AddressRules rules;
  private final SecretFiles secrets;
  private final String userAgent;
  private final ScheduledExecutorService alarm;
  private final Traces traces;

  /**
   * A sender.
   *
   * @param version of Errand, for {@code User-Agent}
   * @param alarm closes connections at their deadline
   * @param traces makes a span of each try
   */
  Sender(
      AddressRules rules,
      SecretFiles secrets,
      String version,
      ScheduledExecutorService alarm,
      Traces traces) {
    this.traces = traces;
    this.rules = rules;
    this.secrets = secrets;
    this.userAgent = "Errand/" + version;
    this.alarm = alarm;
  }

  /** The request of a try, for who wants to end it early. */
  HttpPost post(ClaimedDelivery delivery, long deadlineNanos) {
    return new HttpPost(receiver(delivery), rules, deadlineNanos, alarm);
  }

  private static OnFinish.Receiver receiver(ClaimedDelivery delivery) {
    return new OnFinish(delivery.url(), delivery.secretRef()).receiver();
  }

  /** Sends it. A delivery with a secret is never sent without a signature. */
  Result send(ClaimedDelivery delivery, HttpPost post, List<byte[]> body) {
    WebhookSpan span =
        traces.webhook(
            delivery.trace(),
            delivery.jobId(),
            delivery.attempt(),
            receiver(delivery),
            delivery.tries());
    Integer status = null;
    try {
      Result result = send(delivery, post, body, span.sent());
      status = result.status();
      return result;
    } finally {
      span.end(status);
    }
  }

  private Result send(
      ClaimedDelivery delivery, HttpPost post, List<byte[]> body, @Nullable TraceContext trace) {
    Instant now = Instant.now();
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Content-Type", EventBody.CONTENT_TYPE);
    headers.put("User-Agent", userAgent);
    headers.put("webhook-id", delivery.id().toString());
    headers.put("webhook-timestamp", Long.toString(now.getEpochSecond()));
    if (trace != null) {
      headers.put("traceparent", trace.traceparent());
      if (trace.state() != null) {
        headers.put("tracestate", trace.state());
      }
    }
    try {
      String reference = delivery.secretRef();
      if (reference != null) {
        headers.put(
            "webhook-signature",
            Signature.of(
                secrets.read(reference), delivery.id().toString(), now.getEpochSecond(), body));
      }
      HttpPost.Answer answer = post.send(headers, body);
      return result(delivery, answer.status(), answer.retryAfter(), null);
    } catch (Unreadable | Signature.BadKey | HttpPost.Failed e) {
      return result(delivery, null, null, String.valueOf(e.getMessage()));
    }
  }

  private static Result result(
      ClaimedDelivery delivery,
      @Nullable Integer status,
      @Nullable String retryAfter,
      @Nullable String fault) {
    Schedule.Next next =
        Schedule.after(
            delivery.tries() + 1,
            status,
            retryAfter,
            Instant.now(),
            () -> ThreadLocalRandom.current().nextDouble());
    return new Result(next.state(), true, status, error(status, fault), next.delay());
  }

  private static @Nullable String error(@Nullable Integer status, @Nullable String fault) {
    if (fault != null) {
      String line = Visible.line(fault);
      return line.length() > MOST_ERROR_CHARACTERS
          ? line.substring(0, MOST_ERROR_CHARACTERS) + "…"
          : line;
    }
    if (status == null || (status >= 200 && status < 300)) {
      return null;
    }
    if (status == 410) {
      return "The receiver wants no more webhooks (410)";
    }
    return status >= 300 && status < 400
        ? "The receiver has answered " + status + "; redirects are not followed"
        : "The receiver has answered " + status;
  }

  /** A try that a fault of the server has ended. */
  static Result fault(ClaimedDelivery delivery) {
    return result(delivery, null, null, "The server could not send it, and its log says why");
  }

  /** The end of a delivery whose URL has answered 410 before. */
  static Result disabled() {
    return new Result(
        DeliveryState.DISABLED,
        false,
        null,
        "Not sent: the receiver wants no more webhooks (410); resend a delivery to enable it",
        null);
  }
}
