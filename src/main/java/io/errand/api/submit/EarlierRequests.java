package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.problem.Problem;
import io.errand.job.Access;
import io.errand.queue.Fingerprint;
import io.errand.queue.SubmitJob;
import io.errand.store.submit.Submission;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers a request again that was stored before and would not be valid any more: its command is
 * gone from the catalogue, or its queue has another policy.
 */
@ApplicationScoped
class EarlierRequests {
  private static final int INVALID = 400;

  private final SubmitJob submit;

  EarlierRequests(SubmitJob submit) {
    this.submit = submit;
  }

  /**
   * What a submit gives, or, where it throws a problem of status 400, what the same request was
   * given before.
   *
   * @param key of the request, or null
   * @param id that it names, or null
   * @param body of the request
   * @throws Problem of the submit, at once where the request has neither, else by the result
   */
  CompletableFuture<Submission> or(
      Supplier<CompletableFuture<Submission>> stored,
      Access access,
      @Nullable String key,
      @Nullable UUID id,
      JsonNode body) {
    try {
      return stored.get();
    } catch (Problem refusal) {
      if (refusal.status() != INVALID || (key == null && id == null)) {
        throw refusal;
      }
      CompletableFuture<Submission> result = new CompletableFuture<>();
      Infrastructure.getDefaultWorkerPool()
          .execute(() -> look(access, key, id, body, refusal, result));
      return result;
    }
  }

  private void look(
      Access access,
      @Nullable String key,
      @Nullable UUID id,
      JsonNode body,
      Problem refusal,
      CompletableFuture<Submission> result) {
    try {
      Submission earlier = submit.earlier(access, key, id, Fingerprint.of(body));
      if (earlier == null || earlier instanceof Submission.Conflict) {
        result.completeExceptionally(refusal);
      } else {
        result.complete(earlier);
      }
    } catch (SQLException | RuntimeException | Error e) {
      result.completeExceptionally(e);
    }
  }
}
