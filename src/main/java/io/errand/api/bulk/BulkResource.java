package io.errand.api.bulk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.jobs.UpdateReader;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.AuditedRequests;
import io.errand.api.request.Caller;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.api.submit.IdempotencyKeys;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.queue.BulkJobs;
import io.errand.queue.BulkJobs.Change;
import io.errand.queue.Fingerprint;
import io.errand.store.control.JobUpdate;
import io.errand.store.operations.BulkFilter;
import io.errand.store.operations.OperationKind;
import io.errand.store.operations.OperationStore;
import io.errand.store.operations.OperationStore.Count;
import io.errand.store.operations.OperationStore.Creation;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** The calls that change many jobs at once, by a filter. */
@Path("/v1/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Consumes(MediaType.APPLICATION_JSON)
@Blocking
public class BulkResource {
  private static final Set<String> MEMBERS = Set.of("filter", "dry_run", "expected_count");

  private final BulkJobs bulk;
  private final Caller caller;
  private final Admission counts;

  BulkResource(
      BulkJobs bulk,
      Caller caller,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.bulk = bulk;
    this.caller = caller;
    this.counts = new Admission(pool, "jobs are being counted");
  }

  /**
   * The answer to a dry run.
   *
   * @param count how many jobs match
   * @param more whether there are others
   */
  record CountView(long count, boolean more) {}

  /** Cancels jobs; of those that run, it asks their workers to. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("cancel")
  public Response cancel(@Context HttpHeaders headers) throws IOException, SQLException {
    return change(OperationKind.CANCEL, headers);
  }

  /** Tries finished jobs again, as new ones. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("retry")
  public Response retry(@Context HttpHeaders headers) throws IOException, SQLException {
    return change(OperationKind.RETRY, headers);
  }

  /** Lets held jobs go on. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("release")
  public Response release(@Context HttpHeaders headers) throws IOException, SQLException {
    return change(OperationKind.RELEASE, headers);
  }

  /** Removes finished jobs. */
  @POST
  @Requires(Permission.SUBMIT)
  @Path("delete")
  public Response delete(@Context HttpHeaders headers) throws IOException, SQLException {
    return change(OperationKind.DELETE, headers);
  }

  /** Changes priority, queue or run_at of jobs that wait. */
  @PATCH
  @Requires(Permission.SUBMIT)
  @Consumes({MediaType.APPLICATION_JSON, "application/merge-patch+json"})
  public Response update(@Context HttpHeaders headers) throws IOException, SQLException {
    return change(OperationKind.UPDATE, headers);
  }

  private Response change(OperationKind kind, HttpHeaders headers)
      throws IOException, SQLException {
    String key = IdempotencyKeys.read(headers.getRequestHeader(IdempotencyKeys.HEADER));
    JsonNode body = JsonBody.read(caller.body());
    List<FieldError> errors = new ArrayList<>();
    Fields fields = Fields.of(body, "", errors);
    Change change = read(fields, kind);
    String filter = String.valueOf(body.get("filter"));
    AuditedRequests.note(caller.request(), filter, null);
    Boolean dryRun = fields.bool("dry_run");
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    try (Admission.Permit permit = counts.enter()) {
      return Boolean.TRUE.equals(dryRun)
          ? count(change, filter)
          : begin(change, filter, key, fingerprint(kind, body));
    }
  }

  private static Change read(Fields fields, OperationKind kind) {
    boolean isUpdate = kind == OperationKind.UPDATE;
    Set<String> members = new TreeSet<>(MEMBERS);
    if (isUpdate) {
      members.add("set");
    }
    fields.only(members);
    BulkFilter filter = FilterReader.read(fields, kind);
    JobUpdate set = isUpdate ? set(fields) : null;
    return new Change(
        kind, filter, set, fields.whole("expected_count", 0, OperationStore.MOST_COUNTED));
  }

  private static @Nullable JobUpdate set(Fields fields) {
    Fields set = fields.object("set");
    if (set == null) {
      fields.complain(fields.at("set"), "is required: an object with priority, queue or run_at");
      return null;
    }
    return UpdateReader.read(set, fields.at("set"));
  }

  /** The same body means something else on another path. */
  private static Fingerprint fingerprint(OperationKind kind, JsonNode body) {
    ObjectNode request = JsonNodeFactory.instance.objectNode().put("kind", kind.wireName());
    request.set("body", body);
    return Fingerprint.of(request);
  }

  private Response count(Change change, String filter) throws SQLException {
    Count count =
        bulk.count(change, caller.access())
            .orElseThrow(() -> Problem.notCounted(OperationStore.COUNT_SECONDS));
    AuditedRequests.note(caller.request(), filter, count.jobs());
    return Response.ok(new CountView(count.jobs(), count.more())).build();
  }

  private Response begin(
      Change change, String filter, @Nullable String key, Fingerprint fingerprint)
      throws SQLException {
    Creation creation = bulk.begin(change, caller.access(), key, fingerprint);
    if (creation instanceof Creation.Created created) {
      AuditedRequests.note(caller.request(), filter, created.operation().total());
      return OperationsResource.located(202, created.operation()).build();
    }
    if (creation instanceof Creation.Replayed replayed) {
      return OperationsResource.located(
              replayed.operation().isFinal() ? 200 : 202, replayed.operation())
          .header("Idempotent-Replayed", "true")
          .build();
    }
    if (creation instanceof Creation.Mismatch mismatch) {
      Count count = mismatch.count();
      throw Problem.of(
          Kind.CONFLICT,
          (count.more() ? "More than " : "")
              + count.jobs()
              + " jobs match, and "
              + change.expectedCount()
              + " were expected; nothing was changed");
    }
    if (creation instanceof Creation.TooMany many) {
      throw Problem.tooManyOperations(many.unfinished());
    }
    if (creation instanceof Creation.NotCounted) {
      throw Problem.notCounted(OperationStore.COUNT_SECONDS);
    }
    throw Problem.of(
        Kind.KEY_REUSED, "This Idempotency-Key was used with another body; nothing was changed");
  }
}
