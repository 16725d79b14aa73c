package io.errand.store.submit;

import io.errand.store.Notifications;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Submits that arrive together are committed together. Those of queues that bound what they accept
 * have transactions of their own, because these wait for each other.
 */
@ApplicationScoped
public class GroupCommit {
  private final CommitLane plain;
  private final CommitLane admitted;

  public GroupCommit(SubmitStore store, AdmittingStore admitting, Notifications notifications) {
    plain =
        new CommitLane(
            "errand-submit",
            (candidates, notifying) ->
                store.submitEach(candidates.stream().map(Candidate::job).toList(), notifying),
            notifications);
    admitted = new CommitLane("errand-submit-admit", admitting::submitEach, notifications);
  }

  public void start(@Observes StartupEvent event) {
    plain.start();
    admitted.start();
  }

  public void stop(@Observes ShutdownEvent event) {
    plain.stop();
    admitted.stop();
  }

  /**
   * Stores one job, unless its key or its id is known, and tells the workers.
   *
   * @return completes once the job is durable, on the writer's thread, which must not be held up;
   *     or fails with an {@link SQLException} if the database is away, and then it is unknown
   *     whether the job was stored
   */
  public CompletableFuture<Submission> submit(NewJob job) {
    return plain.submit(new Candidate(job, null));
  }

  /**
   * The same if its queue has room.
   *
   * @param refusal as of {@link Candidate}
   */
  public CompletableFuture<Submission> submitAdmitted(NewJob job, @Nullable Overload refusal) {
    return admitted.submit(new Candidate(job, refusal));
  }
}
