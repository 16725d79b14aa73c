package io.errand.console.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.bulk.FilterReader;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.AuditedRequests;
import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleForm;
import io.errand.api.request.ConsoleRequests;
import io.errand.api.request.Fields;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.console.Pages;
import io.errand.queue.BulkJobs;
import io.errand.queue.BulkJobs.Change;
import io.errand.queue.Fingerprint;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.OperationKind;
import io.errand.store.operations.OperationStore;
import io.errand.store.operations.OperationStore.Count;
import io.errand.store.operations.OperationStore.Creation;
import io.errand.store.reads.JobFilter;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * The forms that change many jobs: those that are selected, or all that match the filter of the
 * list. Both are counted first, and begin once the count has been confirmed.
 */
@Path("/console/jobs/bulk")
@Blocking
public class BulkForms {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Pages pages;
  private final BulkJobs bulk;
  private final Caller caller;
  private final Admission counts;

  BulkForms(
      Pages pages,
      BulkJobs bulk,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.pages = pages;
    this.bulk = bulk;
    this.caller = caller;
    this.counts = new Admission(pool, "jobs are being counted");
  }

  /** Counts, and asks; or begins with a count that was confirmed. */
  @POST
  @Requires(Permission.SUBMIT)
  public Response change() throws SQLException {
    ConsoleForm form = ConsoleRequests.form(caller.request());
    OperationKind kind = kind(form.text("kind"));
    String given = form.text("filter");
    ObjectNode filter = given.isEmpty() ? filter(form) : object(given);
    BulkFilter read = read(filter, kind);
    AuditedRequests.note(caller.request(), filter.toString(), null);
    try (Admission.Permit permit = counts.enter()) {
      return given.isEmpty() ? ask(kind, read, filter) : begin(kind, read, filter, form);
    }
  }

  private static OperationKind kind(String name) {
    for (OperationKind kind :
        List.of(OperationKind.CANCEL, OperationKind.RETRY, OperationKind.RELEASE)) {
      if (kind.wireName().equals(name)) {
        return kind;
      }
    }
    throw Problem.invalid("kind", "must be cancel, retry or release");
  }

  private static BulkFilter read(ObjectNode filter, OperationKind kind) {
    List<FieldError> errors = new ArrayList<>();
    ObjectNode body = MAPPER.createObjectNode();
    body.set("filter", filter);
    BulkFilter read = FilterReader.read(Fields.of(body, "", errors), kind);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    return read;
  }

  private static ObjectNode object(String json) {
    try {
      if (MAPPER.readTree(json) instanceof ObjectNode object) {
        return object;
      }
    } catch (JsonProcessingException e) {
      throw Problem.invalid("filter", "is no JSON");
    }
    throw Problem.invalid("filter", "must be an object");
  }

  /** The jobs that are selected, or those of the filter of the list. */
  private static ObjectNode filter(ConsoleForm form) {
    ObjectNode filter = MAPPER.createObjectNode();
    if (form.value("all") == null) {
      ArrayNode ids = filter.putArray("ids");
      form.values("id").forEach(ids::add);
      if (ids.isEmpty()) {
        throw Problem.invalid("id", "is missing: select a job");
      }
      return filter;
    }
    MultivaluedHashMap<String, String> parameters = new MultivaluedHashMap<>();
    new QueryStringDecoder(form.text("query"), false).parameters().forEach(parameters::put);
    JobFilter list = JobList.query(parameters).filter();
    put(filter, "state", list.state());
    put(filter, "queue", list.queue());
    put(filter, "schedule", list.schedule());
    put(filter, "reason", list.reason());
    put(filter, "worker", list.worker());
    put(filter, "concurrency_key", list.concurrencyKey());
    put(filter, "principal", list.principal());
    put(filter, "q", list.text());
    put(filter, "created_after", list.createdAfter());
    put(filter, "created_before", list.createdBefore());
    if (!list.labels().isEmpty()) {
      list.labels().forEach(filter.putObject("labels")::put);
    }
    if (filter.isEmpty()) {
      throw Problem.invalid(
          "filter", "is missing: a change of all jobs needs one, such as a state");
    }
    return filter;
  }

  private static void put(ObjectNode filter, String name, @Nullable Object value) {
    if (value != null) {
      filter.put(name, value.toString());
    }
  }

  private Response ask(OperationKind kind, BulkFilter filter, ObjectNode json) throws SQLException {
    Count count =
        bulk.count(new Change(kind, filter, null, null), caller.access())
            .orElseThrow(() -> Problem.notCounted(OperationStore.COUNT_SECONDS));
    AuditedRequests.note(caller.request(), json.toString(), 0L);
    List<String> terms = new ArrayList<>();
    json.properties()
        .forEach(
            term -> {
              JsonNode value = term.getValue();
              terms.add(
                  term.getKey().equals("ids")
                      ? String.format(Locale.ROOT, "%,d selected jobs", value.size())
                      : term.getKey()
                          + " "
                          + (value.isTextual() ? value.asText() : value.toString()));
            });
    return pages.ok(
        Templates.confirm(
            pages.shell("/jobs", "Confirm"),
            new ConfirmView(
                kind.wireName(),
                kind.wireName(),
                count.jobs(),
                count.more(),
                json.toString(),
                terms,
                UUID.randomUUID().toString())));
  }

  private Response begin(OperationKind kind, BulkFilter filter, ObjectNode json, ConsoleForm form)
      throws SQLException {
    String expected = form.text("expected_count");
    if (!expected.isEmpty() && !expected.matches("[0-9]{1,9}")) {
      throw Problem.invalid("expected_count", "must be a number");
    }
    Long count = expected.isEmpty() ? null : Long.valueOf(expected);
    // The page that asked has made the key, so that a form that is sent twice changes once.
    if (!form.text("once").matches("[0-9a-f-]{36}")) {
      throw Problem.invalid("once", "is missing");
    }
    String key = "console-" + form.text("once");
    Creation creation =
        bulk.begin(
            new Change(kind, filter, null, count),
            caller.access(),
            key,
            Fingerprint.of(json.deepCopy().put("kind", kind.wireName())));
    if (creation instanceof Creation.Created created) {
      AuditedRequests.note(caller.request(), json.toString(), created.operation().total());
      return pages.seeOther("/operations/" + created.operation().id());
    }
    if (creation instanceof Creation.Replayed replayed) {
      return pages.seeOther("/operations/" + replayed.operation().id());
    }
    if (creation instanceof Creation.Mismatch mismatch) {
      throw Problem.of(
          Kind.CONFLICT,
          mismatch.count().jobs()
              + " jobs match now, and "
              + count
              + " were confirmed; nothing was changed");
    }
    if (creation instanceof Creation.TooMany many) {
      throw Problem.tooManyOperations(many.unfinished());
    }
    throw creation instanceof Creation.NotCounted
        ? Problem.notCounted(OperationStore.COUNT_SECONDS)
        : Problem.of(Kind.KEY_REUSED, "This form was sent before with another filter");
  }
}
