package io.errand.api.jobs;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.problem.Problem;
import io.errand.api.request.Caller;
import io.errand.api.request.PageSize;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.dependencies.DependencyReads;
import io.errand.store.dependencies.DependencyReads.Page;
import io.errand.store.dependencies.DependencyReads.Related;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a job waits for, and what waits for it. */
@Path("/v1/jobs")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class DependenciesResource {

  /** What a row takes as an object and as JSON. */
  private static final long ROW_BYTES = 512;

  private final DependencyReads reads;
  private final AnswerBudget budget;
  private final Caller caller;

  DependenciesResource(DependencyReads reads, AnswerBudget budget, Caller caller) {
    this.reads = reads;
    this.budget = budget;
    this.caller = caller;
  }

  /**
   * The answer.
   *
   * @param after jobs that it waits for or has waited for
   * @param before jobs that wait for it or have waited for it
   * @param waitingFor how many of the first have not finished
   * @param nextPageToken empty on the last page
   */
  @JsonNaming(SnakeCaseStrategy.class)
  public record View(
      List<Related> after, List<Related> before, int waitingFor, String nextPageToken) {}

  /** Where a page begins: behind so many of {@code after}, and behind an id of {@code before}. */
  private record Position(int after, @Nullable UUID before) {
    static final Position START = new Position(0, null);

    String token(UUID job) {
      String text = job + " " + after + " " + (before == null ? "" : before);
      return Base64.getUrlEncoder()
          .withoutPadding()
          .encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    static Position of(String token, UUID job) {
      try {
        String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII);
        String[] parts = text.split(" ", 3);
        if (parts.length == 3 && parts[0].equals(job.toString())) {
          return new Position(
              Integer.parseInt(parts[1]), parts[2].isEmpty() ? null : UUID.fromString(parts[2]));
        }
      } catch (IllegalArgumentException e) {
        throw Problem.invalid("page_token", "is not one of ours");
      }
      throw Problem.invalid("page_token", "belongs to another job");
    }
  }

  /** A page of both. */
  @GET
  @Requires(Permission.SEE)
  @Path("{id}/dependencies")
  public Response dependencies(
      @PathParam("id") String text,
      @QueryParam("page_size") @Nullable String pageSize,
      @QueryParam("page_token") @Nullable String pageToken)
      throws SQLException {
    UUID job = JobAnswers.id(text);
    int size = PageSize.read(pageSize, PageSize.MOST);
    Position from =
        pageToken == null || pageToken.isEmpty() ? Position.START : Position.of(pageToken, job);
    Reservation held = budget.reserve(2 * size * ROW_BYTES);
    View view;
    try {
      view = view(text, job, from, size);
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
    return Response.ok(budget.json(view, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
  }

  private View view(String text, UUID job, Position from, int size) throws SQLException {
    Page page =
        reads
            .page(job, caller.access(), from.after(), from.before(), size + 1)
            .orElseThrow(() -> JobAnswers.noSuchJob(text));
    List<Related> after = first(page.after(), size);
    List<Related> before = first(page.before(), size);
    boolean more = page.after().size() > size || page.before().size() > size;
    Position next =
        new Position(
            from.after() + after.size(),
            before.isEmpty() ? from.before() : before.get(before.size() - 1).id());
    return new View(after, before, page.waitingFor(), more ? next.token(job) : "");
  }

  private static List<Related> first(List<Related> some, int size) {
    return some.size() > size ? some.subList(0, size) : some;
  }
}
