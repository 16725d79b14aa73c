package io.errand.api.submit;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.api.request.RequestBody;
import io.errand.job.JobSpec;
import io.errand.queue.Fingerprint;
import io.errand.queue.QueueRules;
import io.errand.queue.RequestedDependencies;
import io.errand.queue.SubmitJob.Request;
import io.errand.queue.catalogue.FillBudget;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the jobs of a batch one by one: of its JSON no more than one job's is in the heap at a
 * time. Faults are reported as if the whole had been read before: first what is no JSON, then what
 * is wrong with a key, then with the batch, then with its jobs.
 */
final class BatchReader {
  static final String KEY_FIELD = "idempotency_key";
  private static final int MOST_JOBS = 1_000;
  private static final int MOST_ERRORS = 20;

  /** The largest job's values as JSON, and a part of the jobs as it is sent to the database. */
  private static final long WORKING_BYTES = 4 << 20;

  private final RequestBody body;
  private final QueueRules rules;
  private final LongConsumer memory;
  private final List<FieldError> unknown = new ArrayList<>();
  private final List<FieldError> ofJobs = new ArrayList<>();
  private final List<Request> requests = new ArrayList<>();
  private final BatchDependencies dependencies = new BatchDependencies(ofJobs);
  private final FillBudget budget = FillBudget.ofBatch();
  private @Nullable String fault;
  private @Nullable Problem keyFault;
  private long held;
  private int count;

  private BatchReader(RequestBody body, QueueRules rules, LongConsumer memory) {
    this.body = body;
    this.rules = rules;
    this.memory = memory;
  }

  /**
   * Reads a batch.
   *
   * @param body that has arrived; nothing is left of it
   * @param rules what queues say about their jobs
   * @param memory receives how many bytes are needed for what is read, and may throw
   * @throws Problem 400 if it is not acceptable
   */
  static List<Request> read(RequestBody body, QueueRules rules, LongConsumer memory)
      throws IOException {
    return new BatchReader(body, rules, memory).read();
  }

  private List<Request> read() throws IOException {
    try (JsonParser parser = JsonBody.batchParser(body)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        readMembers(parser);
      } else {
        unknown.add(new FieldError("body", "must be an object"));
        parser.skipChildren();
      }
      JsonBody.requireEnd(parser);
    } catch (IOException | NumberFormatException e) {
      throw JsonBody.problem(e);
    }
    if (keyFault != null) {
      throw keyFault;
    }
    if (fault == null && count == 0 && unknown.isEmpty()) {
      fault = "must be a list of 1 to " + MOST_JOBS + " jobs";
    }
    if (fault == null && unknown.isEmpty() && ofJobs.isEmpty()) {
      dependencies.check();
    }
    Stream<FieldError> list = Stream.ofNullable(fault).map(text -> new FieldError("jobs", text));
    List<FieldError> errors =
        Stream.of(unknown.stream(), list, ofJobs.stream())
            .flatMap(some -> some)
            .limit(MOST_ERRORS)
            .toList();
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    return dependencies.addTo(requests);
  }

  private void readMembers(JsonParser parser) throws IOException {
    Fields whole = Fields.of(JsonBody.EMPTY, "", unknown);
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals("jobs")) {
        readJobs(parser);
      } else {
        whole.complain(name, "is not a known field");
        parser.skipChildren();
      }
    }
  }

  private void readJobs(JsonParser parser) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NULL) {
      return; // as if it were missing
    }
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      fault = "must be a list of at most " + MOST_JOBS;
      parser.skipChildren();
      return;
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      count++;
      if (count > MOST_JOBS) {
        fault = "must be a list of at most " + MOST_JOBS;
        keyFault = null;
        ofJobs.clear();
        requests.clear();
        parser.skipChildren();
      } else if (keyFault != null) {
        parser.skipChildren();
      } else {
        readJob(JsonBody.nextOf(parser), "jobs[" + (count - 1) + "]");
      }
    }
  }

  private void readJob(JsonNode item, String where) {
    JobSpec spec =
        JobReader.read(
            item, where, Set.of(KEY_FIELD, BatchDependencies.REF), rules, budget, ofJobs);
    if (!(item instanceof ObjectNode job)) {
      return;
    }
    String key = Fields.of(job, where, ofJobs).string(KEY_FIELD, 255);
    if (key != null) {
      try {
        IdempotencyKeys.check(where + "." + KEY_FIELD, key);
      } catch (Problem problem) {
        keyFault = problem;
      }
    }
    long heapBytes = spec.heapBytes() + dependencies.read(job, where);
    if (!ofJobs.isEmpty() || keyFault != null) {
      requests.clear();
      return;
    }
    held += heapBytes;
    memory.accept(body.remaining() + held + Math.min(WORKING_BYTES, 4 * held));
    // The same job has the same fingerprint, whether its key came in the body or a header.
    requests.add(
        new Request(spec, key, Fingerprint.of(job.without(KEY_FIELD)), RequestedDependencies.NONE));
  }
}
