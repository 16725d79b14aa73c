package io.errand.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.errand.exec.EndCause;
import io.errand.exec.OwnProcess;
import io.errand.exec.TestLauncher;
import io.errand.job.Backoff;
import io.errand.job.Call;
import io.errand.job.Confinement;
import io.errand.job.Limits;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.RetryPolicy;
import io.errand.memory.MemoryBudget;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.memory.MemoryBudget.Share;
import io.errand.secrets.EncryptionKeys;
import io.errand.secrets.SecretFiles;
import io.errand.secrets.Secrets;
import io.errand.store.claim.ClaimStore.Start;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.Completion;
import io.errand.traces.Traces;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Claims and slots, with real commands. */
@OwnProcess
class SlotsTest {
  private static final Instant CLAIMED = Instant.parse("2026-01-02T03:04:05Z");
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final Traces OFF = new Traces(new SimpleMeterRegistry(), "");

  @TempDir private Path folder;

  private final MemoryBudget budget = new MemoryBudget(384 << 20);
  private volatile boolean leaseHeld = true;
  private final Slots slots =
      new Slots(
          1,
          TestLauncher.launcher(),
          Limits.NONE,
          TestLauncher.host(),
          new CommandInputs(
              new Secrets(new SecretFiles(null), name -> null, null, EncryptionKeys.NONE),
              new CommandMemory(new MemoryBudget(384 << 20)),
              OFF),
          new WorkerMeters(new SimpleMeterRegistry(), OFF),
          () -> {});

  @AfterEach
  void nothingIsLeft() {
    slots.endAll(EndCause.LEASE_LOST, Duration.ZERO);
    await()
        .until(
            () -> {
              slots.takeEnded(99).forEach(completion -> slots.recorded(completion.token()));
              return slots.held() == 0;
            });
    assertThat(slots.busy()).isZero();
    assertThat(slots.waiting()).isZero();
    assertThat(budget.used(Share.COMMANDS)).isZero();
  }

  private ClaimedJob run(String script) {
    return run(script, null);
  }

  private ClaimedJob run(String script, @Nullable Instant startedAt) {
    ClaimedJob job =
        new ClaimedJob(
            UUID.randomUUID(),
            UUID.randomUUID(),
            CLAIMED,
            startedAt,
            1,
            1,
            "default",
            Duration.ZERO,
            CLAIMED,
            List.of("sh", "-c", script),
            Map.of(),
            null,
            null,
            null,
            LONG,
            Duration.ZERO,
            100,
            100,
            new RetryPolicy(1, Backoff.DEFAULT, List.of(), Set.of(0), OnLost.RETRY),
            Confinement.NONE,
            false,
            false,
            Call.NONE,
            100);
    Reservation memory = Objects.requireNonNull(budget.tryReserve(Share.COMMANDS, 100));
    slots.run(job, memory, () -> leaseHeld);
    return job;
  }

  private Path gate() {
    return folder.resolve("gate");
  }

  private ClaimedJob runUntilGate() {
    return run("until [ -e " + gate() + " ]; do sleep 0.02; done");
  }

  private void openGate() throws IOException {
    Files.createFile(gate());
  }

  private Completion completionOf(ClaimedJob job) {
    List<Completion> found = new ArrayList<>();
    await()
        .until(
            () -> {
              found.addAll(slots.takeEnded(1));
              return !found.isEmpty();
            });
    assertThat(found).extracting(Completion::token).containsExactly(job.token());
    slots.recorded(job.token());
    return found.get(0);
  }

  @Test
  void aClaimWaitsForASlotAndStartsWhenTheCommandBeforeItIsGone() throws IOException {
    ClaimedJob first = runUntilGate();
    ClaimedJob second = run("echo second");
    assertThat(slots.busy()).isEqualTo(1);
    assertThat(slots.waiting()).isEqualTo(1);
    assertThat(slots.command(second.token())).isNull();
    openGate();
    assertThat(completionOf(first).result().outcome()).isEqualTo(Outcome.SUCCESS);
    Completion end = completionOf(second);
    assertThat(end.result().outcome()).isEqualTo(Outcome.SUCCESS);
    assertThat(end.claimedAt()).isEqualTo(CLAIMED);
    assertThat(end.startedAt()).isAfter(CLAIMED);
  }

  @Test
  void aCancelEndsAClaimThatWaitsWithoutACommand() throws IOException {
    ClaimedJob first = runUntilGate();
    Path trace = folder.resolve("trace");
    ClaimedJob second = run("touch " + trace);
    slots.cancel(second.token());
    Completion end = completionOf(second);
    assertThat(end.result().outcome()).isEqualTo(Outcome.CANCELLED);
    assertThat(end.result().started()).isFalse();
    assertThat(end.startedAt()).isNull();
    openGate();
    completionOf(first);
    assertThat(trace).doesNotExist();
  }

  @Test
  void claimsThatWaitForLongAreGivenBackAndTheOthersStay() {
    runUntilGate();
    ClaimedJob late = run("true");
    slots.giveBackWaiting(LONG);
    assertThat(slots.waiting()).isEqualTo(1);
    slots.giveBackWaiting(Duration.ZERO);
    assertThat(slots.waiting()).isZero();
    Completion end = completionOf(late);
    assertThat(end.result().outcome()).isEqualTo(Outcome.RELEASED);
    assertThat(end.decision().uncharged()).isTrue();
    assertThat(end.decision().delay()).isZero();
  }

  @Test
  void nothingStartsOnceTheLeaseIsLost() throws IOException {
    ClaimedJob first = runUntilGate();
    ClaimedJob second = run("true");
    leaseHeld = false;
    openGate();
    completionOf(first);
    Completion end = completionOf(second);
    assertThat(end.result().outcome()).isEqualTo(Outcome.RELEASED);
    assertThat(end.startedAt()).isNull();
  }

  @Test
  void onlyStartsThatTheDatabaseDoesNotKnowAreToBeStored() throws IOException {
    ClaimedJob known = run("until [ -e " + gate() + " ]; do sleep 0.02; done", CLAIMED);
    assertThat(slots.unstoredStarts(Duration.ZERO)).isEmpty();
    ClaimedJob second = run("sleep 600");
    assertThat(slots.unstoredStarts(Duration.ZERO)).isEmpty();
    openGate();
    completionOf(known);
    await().until(() -> slots.command(second.token()) != null);
    List<Start> starts = slots.unstoredStarts(Duration.ZERO);
    assertThat(starts).extracting(Start::token).containsExactly(second.token());
    assertThat(slots.unstoredStarts(LONG)).isEmpty();
    slots.startsStored(starts);
    assertThat(slots.unstoredStarts(Duration.ZERO)).isEmpty();
  }

  @Test
  void claimsThatWaitTakeTheRoomOfThoseThatMayBeMade() throws IOException {
    assertThat(slots.room(List.of())).isEqualTo(new Slots.Room(1, 0));
    for (int i = 0; i < 30; i++) {
      completionOf(run("true"));
      await().until(() -> slots.held() == 0);
    }
    int ahead = slots.room(List.of()).ahead(); // none where this machine is slow
    assertThat(ahead).isBetween(0, StartRate.MOST_PER_SLOT);
    ClaimedJob first = runUntilGate();
    run("true");
    Slots.Room room = slots.room(List.of());
    assertThat(room.atOnce()).isZero();
    assertThat(room.ahead()).isLessThanOrEqualTo(Math.max(0, ahead - 1));
    openGate();
    completionOf(first);
  }
}
