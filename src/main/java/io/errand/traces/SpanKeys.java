package io.errand.traces;

import io.errand.job.OnFinish.Receiver;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What spans say, under the names of the semantic conventions of OpenTelemetry where these have
 * one: messaging, process, HTTP. The others begin with {@code errand.}.
 */
final class SpanKeys {
  static final AttributeKey<String> JOB = AttributeKey.stringKey("errand.job.id");
  static final AttributeKey<String> MESSAGE = AttributeKey.stringKey("messaging.message.id");
  static final AttributeKey<Long> BATCH = AttributeKey.longKey("messaging.batch.message_count");
  static final AttributeKey<String> REQUEST = AttributeKey.stringKey("errand.request.id");
  static final AttributeKey<String> RESULT = AttributeKey.stringKey("errand.submit.result");
  static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
  static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
  private static final int MOST_PROGRAM = 128;

  private SpanKeys() {}

  /** Of one step of a message, as which a job is seen. */
  static Attributes ofMessage(String name, String type, @Nullable String queue) {
    AttributesBuilder all =
        Attributes.builder()
            .put("messaging.system", "errand")
            .put("messaging.operation.name", name)
            .put("messaging.operation.type", type);
    if (queue != null) {
      all.put("messaging.destination.name", queue);
    }
    return all.build();
  }

  /** Of both spans of an attempt. */
  static Attributes of(Attempt attempt) {
    AttributesBuilder all =
        Attributes.builder()
            .put(JOB, attempt.job().toString())
            .put(MESSAGE, attempt.job().toString())
            .put("errand.attempt", attempt.number());
    put(all, REQUEST, attempt.requestId());
    put(all, AttributeKey.stringKey("errand.worker"), attempt.worker());
    return all.build();
  }

  /** Of the run of a command. */
  static Attributes ofEnd(Attempt attempt) {
    AttributesBuilder all =
        Attributes.builder()
            .put("process.executable.name", name(attempt.program()))
            .put("errand.attempt.outcome", attempt.outcome().wireName())
            .put("errand.job.state", attempt.nextState());
    if (attempt.exitCode() != null) {
      all.put("process.exit.code", (long) attempt.exitCode());
    }
    put(all, AttributeKey.stringKey("errand.attempt.signal"), attempt.signal());
    if (attempt.isFailure()) {
      all.put(ERROR, attempt.outcome().wireName());
    }
    return all.build();
  }

  /** Of a try of a webhook. Path and query of its URL may hold secrets. */
  static Attributes ofWebhook(UUID job, Receiver receiver, int tries) {
    AttributesBuilder all =
        Attributes.builder()
            .put(JOB, job.toString())
            .put("http.request.method", "POST")
            .put("url.scheme", receiver.secure() ? "https" : "http")
            .put("server.address", receiver.host())
            .put("server.port", receiver.port());
    if (tries > 0) {
      all.put("http.request.resend_count", tries);
    }
    return all.build();
  }

  private static void put(AttributesBuilder all, AttributeKey<String> key, @Nullable String value) {
    if (value != null) {
      all.put(key, value);
    }
  }

  /** The last part of a path. */
  private static String name(String program) {
    String name = program.substring(program.lastIndexOf('/') + 1);
    return name.length() > MOST_PROGRAM ? name.substring(0, MOST_PROGRAM) : name;
  }
}
