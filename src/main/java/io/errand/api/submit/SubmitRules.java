package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.queue.KnownQueues;
import io.errand.queue.QueueRules;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** Answers a submit by the rules of its project's queues, which may have to be read first. */
@ApplicationScoped
class SubmitRules {
  private final KnownQueues queues;

  SubmitRules(KnownQueues queues) {
    this.queues = queues;
  }

  /**
   * At once where the rules of queues are known, or where this thread may wait for them; else on
   * this event loop once they are read. What takes long to read by them leaves the event loop.
   */
  Uni<Response> apply(String project, JsonNode job, Function<QueueRules, Uni<Response>> next) {
    if (!io.vertx.core.Context.isOnEventLoopThread()) { // a body that is large to read
      try {
        return next.apply(queues.now().in(project));
      } catch (SQLException e) {
        return Uni.createFrom().failure(e);
      }
    }
    io.vertx.core.Context eventLoop = Vertx.currentContext();
    Executor back = task -> eventLoop.runOnContext(now -> task.run());
    Function<QueueRules, Uni<Response>> here =
        read ->
            NamedRunReader.isQuick(job, read)
                ? next.apply(read)
                : Uni.createFrom()
                    .deferred(() -> next.apply(read))
                    .runSubscriptionOn(Infrastructure.getDefaultWorkerPool())
                    .emitOn(back);
    CompletableFuture<QueueRules> rules = queues.fresh();
    return rules.isDone() && !rules.isCompletedExceptionally()
        ? here.apply(rules.join().in(project))
        : Uni.createFrom()
            .completionStage(rules)
            .emitOn(back)
            .flatMap(read -> here.apply(read.in(project)));
  }
}
