package io.errand.api.audit;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Caller;
import io.errand.api.request.PageSize;
import io.errand.api.request.Pages;
import io.errand.api.request.WireTime;
import io.errand.audit.AuditJson;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.store.audit.AuditRow;
import io.errand.store.audit.AuditStore;
import io.errand.store.audit.AuditStore.Filter;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The call that shows the audit to administrators. */
@Path("/v1/audit")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class AuditResource {
  private static final Set<String> PARAMETERS =
      Set.of("principal", "action", "since", "until", "page_size", "page_token");
  private static final int MOST_CHARACTERS = 255;
  private static final String SEQ = "[0-9]{1,18}";

  private final AuditStore store;
  private final Caller caller;

  AuditResource(AuditStore store, Caller caller) {
    this.store = store;
    this.caller = caller;
  }

  /** Rows, the newest first; an administrator of default sees those of all projects. */
  @GET
  @Requires(Permission.ADMINISTER)
  public Map<String, Object> list(@Context UriInfo uri) throws SQLException {
    Page page = page(uri.getQueryParameters());
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("audit", page.rows().stream().map(AuditJson::of).toList());
    answer.put("next_page_token", page.next());
    return answer;
  }

  /**
   * Rows, the newest first.
   *
   * @param next the token of the next page, empty where there is none
   */
  public record Page(List<AuditRow> rows, String next) {}

  /**
   * Rows that the caller may see.
   *
   * @param query the parameters of the call
   */
  public Page page(MultivaluedMap<String, String> query) throws SQLException {
    List<FieldError> errors = new ArrayList<>();
    query.forEach(
        (name, values) -> {
          if (!PARAMETERS.contains(name)) {
            errors.add(new FieldError(name, "is not a known parameter"));
          } else if (values.size() > 1) {
            errors.add(new FieldError(name, "must be given once"));
          }
        });
    Filter filter =
        new Filter(
            caller.identity().isServerAdmin() ? null : caller.project(),
            text(query, "principal", errors),
            text(query, "action", errors),
            time(query, "since", errors),
            time(query, "until", errors));
    int size = PageSize.read(query.getFirst("page_size"), PageSize.MOST, errors);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    String list = "audit-" + Integer.toHexString(Objects.hash(filter));
    String position = Pages.position(list, query.getFirst("page_token"));
    if (position != null && !position.matches(SEQ)) {
      throw Problem.invalid("page_token", "is not one of ours");
    }
    long before = position == null ? Long.MAX_VALUE : Long.parseLong(position);
    List<AuditRow> found = store.list(filter, before, size + 1);
    List<AuditRow> page = found.subList(0, Math.min(size, found.size()));
    return new Page(
        page,
        found.size() > page.size()
            ? Pages.token(list, Long.toString(page.get(page.size() - 1).seq()))
            : "");
  }

  private static @Nullable String text(
      MultivaluedMap<String, String> query, String name, List<FieldError> errors) {
    String text = query.getFirst(name);
    if (text == null) {
      return null;
    }
    if (text.isEmpty() || text.length() > MOST_CHARACTERS || text.indexOf('\0') >= 0) {
      errors.add(new FieldError(name, "must be 1 to " + MOST_CHARACTERS + " characters"));
    }
    return text;
  }

  private static @Nullable Instant time(
      MultivaluedMap<String, String> query, String name, List<FieldError> errors) {
    String text = query.getFirst(name);
    Instant time = text == null ? null : WireTime.parse(text);
    if (text != null && time == null) {
      errors.add(new FieldError(name, "must be a time of RFC 3339, such as 2026-12-01T00:00:00Z"));
    }
    return time;
  }
}
