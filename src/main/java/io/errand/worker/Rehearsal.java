package io.errand.worker;

import io.errand.exec.CommandListener;
import io.errand.exec.CommandResult;
import io.errand.exec.EndCause;
import io.errand.exec.Launcher;
import io.errand.exec.RunningCommand;
import io.errand.job.Access;
import io.errand.job.Backoff;
import io.errand.job.Confinement;
import io.errand.job.JobSpec;
import io.errand.job.Limits;
import io.errand.job.OnLost;
import io.errand.job.ProjectNames;
import io.errand.job.RetryPolicy;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.RolledBack;
import io.errand.store.claim.ClaimStore;
import io.errand.store.claim.ClaimStore.Claimer;
import io.errand.store.claim.ClaimStore.Wanted;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.CompleteAndClaimStore;
import io.errand.store.claim.CompleteStore;
import io.errand.store.claim.Completion;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.SubmitStore;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.sql.DataSource;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Runs a job from its submit to its end before the first job of a client comes, so that this one
 * finds all classes loaded and all statements planned. The command is a real one; the transaction
 * is rolled back, so that no row, event, count or notification is left. Its queue has a name that
 * nobody else can know: no other job is locked, and no other worker waits.
 */
final class Rehearsal {
  private static final Logger LOG = Logger.getLogger(Rehearsal.class);
  private static final Duration LONGEST_RUN = Duration.ofSeconds(1);
  private static final int OUTPUT_LIMIT_BYTES = 1 << 10;

  private final RolledBack rolledBack;
  private final Launcher launcher;
  private final Limits caps;
  private final CommandMemory memory;
  private final String workerName;

  /**
   * For one worker.
   *
   * @param launcher runs the command
   * @param caps what no job may exceed
   * @param memory gives the command what it may hold
   * @param workerName for people
   */
  Rehearsal(
      RolledBack rolledBack,
      Launcher launcher,
      Limits caps,
      CommandMemory memory,
      String workerName) {
    this.rolledBack = rolledBack;
    this.launcher = launcher;
    this.caps = caps;
    this.memory = memory;
    this.workerName = workerName;
  }

  /**
   * Takes about as long as the first job of a client would take longer without it. Whatever fails
   * here is of no consequence.
   *
   * @param holder the incarnation that claims
   */
  void run(UUID holder) {
    try (Reservation reserved = memory.forOne(ClaimStore.USUAL_MEMORY)) {
      if (reserved != null) {
        rolledBack.run(source -> run(source, holder));
      }
    } catch (SQLException | RuntimeException e) {
      LOG.debugf("Nothing was rehearsed: %s", e.getMessage());
    }
  }

  private void run(DataSource source, UUID holder) throws SQLException {
    ClaimStore claims = new ClaimStore(source);
    CompleteStore completes = new CompleteStore(source);
    String queue = "rehearsal-" + UUID.randomUUID();
    new SubmitStore(source).submitEach(List.of(job(queue), job(queue)), false);
    Claimer claimer = new Claimer(holder, workerName, List.of(queue));
    Wanted one = new Wanted(1, 1, ClaimStore.MOST_MEMORY);
    List<ClaimedJob> first = claims.claim(claimer, one).jobs();
    if (first.isEmpty()) {
      return; // the lease is lost
    }
    List<Completion> completions = List.of(completion(first.get(0)));
    List<ClaimedJob> second =
        new CompleteAndClaimStore(source, completes, claims)
            .run(completions, claimer, one)
            .claims()
            .jobs();
    if (!second.isEmpty()) {
      completes.complete(List.of(completion(second.get(0))), "worker " + workerName);
    }
  }

  private static NewJob job(String queue) {
    JobSpec spec =
        new JobSpec(
            null,
            List.of("echo", "rehearsal"),
            queue,
            0,
            null,
            null,
            Map.of(),
            null,
            LONGEST_RUN.toSeconds(),
            0,
            new RetryPolicy(1, Backoff.DEFAULT, List.of(), Set.of(0), OnLost.RETRY),
            OUTPUT_LIMIT_BYTES,
            OUTPUT_LIMIT_BYTES,
            null,
            1,
            Map.of(),
            null,
            null,
            Confinement.NONE,
            null);
    return new NewJob(
        UUID.randomUUID(), spec, Access.toOwn(ProjectNames.DEFAULT, "rehearsal"), null, "00");
  }

  private Completion completion(ClaimedJob job) {
    CommandResult result = launch(job);
    return Commands.completion(job, job.startedAt(), result, true);
  }

  private CommandResult launch(ClaimedJob job) {
    CompletableFuture<CommandResult> ended = new CompletableFuture<>();
    RunningCommand command =
        launcher.launch(
            Commands.spec(job, caps, null, Commands.ownTrace(job, false)),
            new CommandListener() {
              @Override
              public void onEnd(CommandResult result) {
                ended.complete(result);
              }

              @Override
              public void onGone() {}
            });
    CommandResult result = await(ended);
    if (result == null) {
      command.end(EndCause.RELEASED, Duration.ZERO);
      throw new IllegalStateException("The command did not end in time");
    }
    return result;
  }

  private static @Nullable CommandResult await(CompletableFuture<CommandResult> ended) {
    try {
      return ended.get(LONGEST_RUN.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } catch (ExecutionException | TimeoutException e) {
      return null;
    }
  }
}
