package io.errand.store.audit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.store.PolicyJson;
import org.jspecify.annotations.Nullable;

/**
 * What is to be written into the audit. Its texts hold no NUL and no half of a character.
 *
 * @param kind {@link #CHANGE} or {@link #REFUSED}
 * @param who the caller, or null where nobody is known
 * @param action method and route, such as {@code DELETE /v1/keys/{id}}
 * @param thing the id or name of what is changed, or null
 * @param filter of a bulk change, as JSON, or null
 * @param count of jobs that a bulk change began with, or null where that is not known
 * @param address of the client
 * @param requestId its {@code X-Request-Id}
 * @param status of the answer, or null where there is none yet
 * @param tries how many requests this stands for, at least 1
 */
public record AuditEntry(
    String kind,
    @Nullable Who who,
    String action,
    @Nullable String thing,
    @Nullable String filter,
    @Nullable Long count,
    @Nullable String address,
    @Nullable String requestId,
    @Nullable Integer status,
    long tries) {
  /** A request that may change something, and was let in. */
  public static final String CHANGE = "change";

  /** Requests without a right token, or of a role that may not do that. */
  public static final String REFUSED = "refused";

  /**
   * A caller.
   *
   * @param name for people
   * @param keyId the id of its key, or null where it has none
   * @param kind how it was identified
   */
  public record Who(
      String principal,
      String name,
      @Nullable String keyId,
      String kind,
      String role,
      String project) {}

  /** The same with what is known at the end. */
  public AuditEntry ended(
      int answered, @Nullable String made, @Nullable String given, @Nullable Long jobs) {
    return new AuditEntry(
        kind,
        who,
        action,
        made == null ? thing : made,
        given,
        jobs,
        address,
        requestId,
        answered,
        tries);
  }

  /** The same for so many requests. */
  public AuditEntry times(long number) {
    return new AuditEntry(
        kind, who, action, thing, filter, count, address, requestId, status, number);
  }

  /** The same for another thing. */
  public AuditEntry of(String other) {
    return new AuditEntry(
        kind, who, action, other, filter, count, address, requestId, status, tries);
  }

  /** The same of another action, whose thing is not told. */
  public AuditEntry as(String other) {
    return new AuditEntry(kind, who, other, null, filter, count, address, requestId, status, tries);
  }

  /** With the names of the columns. */
  ObjectNode json() {
    ObjectNode json =
        PolicyJson.MAPPER
            .createObjectNode()
            .put("kind", kind)
            .put("action", action)
            .put("thing", thing)
            .put("filter", filter)
            .put("count", count)
            .put("address", address)
            .put("request_id", requestId)
            .put("status", status)
            .put("tries", tries);
    if (who != null) {
      json.put("principal", who.principal())
          .put("name", who.name())
          .put("key_id", who.keyId())
          .put("identity_kind", who.kind())
          .put("role", who.role())
          .put("project", who.project());
    }
    return json;
  }
}
