package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.Access;
import io.errand.job.Call;
import io.errand.job.OnDependencyFailure;
import io.errand.job.OnLost;
import io.errand.job.Outcome;
import io.errand.job.ProjectNames;
import io.errand.store.claim.ClaimedJob;
import io.errand.store.claim.ConcurrencyKeys;
import io.errand.store.control.Housekeeping;
import io.errand.store.dependencies.DependencyReads;
import io.errand.store.dependencies.DependencyReads.Related;
import io.errand.store.submit.Dependencies;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.RetryStore;
import io.errand.store.submit.Submission;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The rules for jobs that wait for others. */
class DependenciesTest extends DependencyFixture {
  @Test
  void aJobIsNotClaimedBeforeAllThatItWaitsForHaveSucceeded() throws SQLException {
    UUID first = submit();
    UUID second = submit();
    UUID waiting = submitAfter(first, second, first); // one counts once
    assertThat(value("waits_for_jobs", waiting)).isEqualTo("2");
    List<ClaimedJob> claimed = claim(9);
    assertThat(claimed).extracting(ClaimedJob::id).containsExactlyInAnyOrder(first, second);
    end(claimed.get(0), Outcome.SUCCESS, 0);
    resolve();
    assertThat(claim(9)).isEmpty();
    assertThat(value("waits_for_jobs", waiting)).isEqualTo("1");
    end(claimed.get(1), Outcome.SUCCESS, 0);
    resolve();
    succeed(waiting);
    assertThat(value("after::text", waiting)).isEqualTo("{" + first + "," + second + "}");
    assertThat(value("run_at > created_at", waiting)).isEqualTo("t"); // since when it could run
    assertThat(database.value("SELECT count(*) FROM errand.jobs WHERE has_dependents"))
        .isEqualTo("0");
    assertThat(violations()).isEmpty();
  }

  @Test
  void aRunAtThatIsLaterStays() throws SQLException {
    UUID first = submit();
    UUID waiting = submitAfter(first);
    database.execute("UPDATE errand.jobs SET run_at = '2099-01-01' WHERE id = '" + waiting + "'");
    succeed(first);
    resolve();
    assertThat(value("run_at::date", waiting)).isEqualTo("2099-01-01");
    assertThat(value("waits_for_key", waiting)).isEqualTo("f");
  }

  @Test
  void aFailureCancelsWhatWaitsAndWhatWaitsForThat() throws SQLException {
    UUID first = submit();
    UUID second = submitAfter(first);
    UUID third = submitAfter(second);
    UUID runs = stored(after(null, OnDependencyFailure.RUN, first, third));
    UUID waitsForOneMore = submitAfter(first, submit(spec(3, OnLost.RETRY, "k", null)));
    List<ClaimedJob> claimed = claim(9);
    assertThat(claimed).hasSize(2);
    end(
        claimed.stream().filter(one -> one.id().equals(first)).findFirst().orElseThrow(),
        Outcome.EXIT_CODE,
        78);
    resolve();
    for (UUID cancelled : List.of(second, third, waitsForOneMore)) {
      assertThat(stateOf(cancelled)).isEqualTo("cancelled:dependency_failed");
    }
    assertThat(value("detail", second)).isEqualTo("job " + first + " failed");
    assertThat(value("detail", third)).isEqualTo("job " + second + " was cancelled");
    assertThat(
            database.value(
                "SELECT actor || ' ' || from_state FROM errand.job_events"
                    + " WHERE to_state = 'cancelled' AND job_id = '"
                    + third
                    + "'"))
        .isEqualTo("dependency queued");
    succeed(runs);
    end(claimed.get(0).id().equals(first) ? claimed.get(1) : claimed.get(0), Outcome.SUCCESS, 0);
    resolve();
    assertThat(stateOf(waitsForOneMore)).isEqualTo("cancelled:dependency_failed");
    assertThat(violations()).isEmpty();
  }

  @Test
  void whatHasFinishedCounts() throws SQLException {
    UUID done = submit();
    succeed(done);
    UUID failed = submit();
    fail(failed);
    UUID ready = submitAfter(done);
    assertThat(value("waits_for_jobs", ready)).isEqualTo("0");
    succeed(ready);
    UUID runs = stored(after(null, OnDependencyFailure.RUN, done, failed));
    succeed(runs);
    UUID cancelled = submitAfter(done, failed);
    assertThat(claim(9)).isEmpty();
    resolve();
    assertThat(stateOf(cancelled)).isEqualTo("cancelled:dependency_failed");
    assertThat(violations()).isEmpty();
  }

  @Test
  void aJobThatIsNotThereIsNamedAndNothingIsStored() throws SQLException {
    UUID mine = submit();
    UUID gone = UUID.randomUUID();
    UUID removed = UUID.randomUUID();
    database.execute(
        "INSERT INTO errand.removed_jobs (id, principal, state) VALUES ('"
            + removed
            + "', 'tester', 'succeeded')");
    NewJob good = after(mine);
    NewJob bad = after("k", OnDependencyFailure.CANCEL, mine, gone, removed);
    List<Submission> answers = dependents.submitAll(candidates(good, bad));
    assertThat(answers.get(1))
        .isEqualTo(
            new Submission.NoSuchDependencies(
                List.of(
                    new Submission.MissingJob(1, gone, false),
                    new Submission.MissingJob(2, removed, true))));
    assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("1");
    assertThat(database.value("SELECT count(*) FROM errand.idempotency_keys")).isEqualTo("0");
    assertThat(database.value("SELECT count(*) FROM errand.job_dependencies")).isEqualTo("0");
    NewJob other =
        new NewJob(
            UUID.randomUUID(),
            good.spec(),
            Access.toOwn(ProjectNames.DEFAULT, "another caller"),
            null,
            HASH,
            null,
            null,
            new Dependencies(List.of(mine), OnDependencyFailure.CANCEL),
            null,
            Call.NONE);
    assertThat(dependents.submitAll(candidates(other)).get(0))
        .isInstanceOf(Submission.NoSuchDependencies.class);
    NewJob own = after(mine);
    NewJob itself = own.waitingFor(new Dependencies(List.of(own.id()), OnDependencyFailure.RUN));
    assertThat(dependents.submitAll(candidates(itself)).get(0))
        .isInstanceOf(Submission.NoSuchDependencies.class);
  }

  @Test
  void jobsOfOneSubmitWaitForEachOtherAlsoWhereOneIsKnown() throws SQLException {
    NewJob first = job(spec(3, OnLost.RETRY, null, null), "first", HASH);
    NewJob second = after("second", OnDependencyFailure.CANCEL, first.id());
    NewJob third = after("third", OnDependencyFailure.CANCEL, second.id(), first.id());
    assertThat(dependents.submitAll(candidates(third, second, first)))
        .allMatch(Submission.Accepted.class::isInstance);
    assertThat(value("has_dependents", first.id())).isEqualTo("t");
    NewJob firstAgain = job(spec(3, OnLost.RETRY, null, null), "first", HASH);
    NewJob fourth = after("fourth", OnDependencyFailure.CANCEL, firstAgain.id(), first.id());
    List<Submission> answers = dependents.submitAll(candidates(fourth, firstAgain));
    assertThat(answers.get(1)).isEqualTo(new Submission.Replayed(first.id()));
    assertThat(value("after::text", fourth.id())).isEqualTo("{" + first.id() + "}");
    succeed(first.id());
    resolve();
    List<ClaimedJob> claimed = claim(9);
    assertThat(claimed)
        .extracting(ClaimedJob::id)
        .containsExactlyInAnyOrder(second.id(), fourth.id());
    for (ClaimedJob one : claimed) {
      end(one, Outcome.SUCCESS, 0);
    }
    resolve();
    succeed(third.id());
    assertThat(violations()).isEmpty();
  }

  @Test
  void aRepeatIsAnsweredWithoutALookAtWhatItWaitsFor() throws SQLException {
    UUID first = submit();
    NewJob keyed = after("key", OnDependencyFailure.CANCEL, first);
    stored(keyed);
    UUID own = submitAfter(first);
    succeed(first);
    resolve();
    database.execute("DELETE FROM errand.jobs WHERE id = '" + first + "'");
    assertThat(dependents.submitAll(candidates(after("key", OnDependencyFailure.CANCEL, first))))
        .containsExactly(new Submission.Replayed(keyed.id()));
    NewJob again =
        new NewJob(
            own,
            keyed.spec(),
            ME,
            null,
            HASH,
            null,
            null,
            keyed.dependencies(),
            null,
            Call.NONE); // as of a PUT
    assertThat(dependents.submitAll(candidates(again)))
        .containsExactly(new Submission.Replayed(own));
    NewJob another =
        new NewJob(
            own,
            keyed.spec(),
            ME,
            null,
            "cd".repeat(32),
            null,
            null,
            again.dependencies(),
            null,
            Call.NONE);
    assertThat(dependents.submitAll(candidates(another)))
        .containsExactly(new Submission.Conflict(own));
    NewJob theirs =
        new NewJob(own, keyed.spec(), Access.toOwn(ProjectNames.DEFAULT, "other"), null, HASH);
    assertThat(dependents.submitAll(candidates(theirs)))
        .containsExactly(new Submission.Conflict(own));
  }

  @Test
  void aJobThatWaitsCanBeCancelledAndExpires() throws SQLException {
    UUID first = submit();
    UUID waiting = submitAfter(first);
    UUID behind = submitAfter(waiting);
    NewJob expiring =
        job(spec(3, OnLost.RETRY, null, Instant.now().plusSeconds(60)), null, HASH)
            .waitingFor(new Dependencies(List.of(first), OnDependencyFailure.RUN));
    stored(expiring);
    resolve();
    database.execute("UPDATE errand.jobs SET expires_at = now() WHERE expires_at IS NOT NULL");
    assertThat(control.expire(10)).isEqualTo(1);
    assertThat(control.cancel(waiting, ME).changed()).isTrue();
    resolve();
    assertThat(stateOf(behind)).isEqualTo("cancelled:dependency_failed");
    succeed(first);
    resolve();
    assertThat(stateOf(waiting)).isEqualTo("cancelled:cancelled");
    assertThat(stateOf(expiring.id())).isEqualTo("cancelled:expired");
    assertThat(violations()).isEmpty();
  }

  @Test
  void aRetryIsANewJobThatWaitsForNothingAndThatNothingWaitsFor() throws SQLException {
    UUID first = submit();
    UUID waiting = submitAfter(first);
    fail(first);
    resolve();
    UUID again = UUID.randomUUID();
    new RetryStore(database.dataSource())
        .retry(new RetryStore.Wanted(waiting, again, ME, null, HASH, Call.NONE));
    succeed(again);
    UUID firstAgain = UUID.randomUUID();
    new RetryStore(database.dataSource())
        .retry(new RetryStore.Wanted(first, firstAgain, ME, null, HASH, Call.NONE));
    succeed(firstAgain);
    resolve();
    assertThat(stateOf(waiting)).isEqualTo("cancelled:dependency_failed");
  }

  @Test
  void aKeyLetsNoJobGoThatWaitsForOthers() throws SQLException {
    ConcurrencyKeys keys = new ConcurrencyKeys(database.dataSource());
    UUID first = submit();
    NewJob keyed =
        job(spec(3, OnLost.RETRY, "key", null), null, HASH)
            .waitingFor(new Dependencies(List.of(first), OnDependencyFailure.CANCEL));
    stored(keyed);
    UUID holder = submit(spec(3, OnLost.RETRY, "key", null));
    List<ClaimedJob> claimed = claim(9);
    assertThat(claimed).extracting(ClaimedJob::id).containsExactlyInAnyOrder(first, holder);
    ClaimedJob other = claimed.get(claimed.get(0).id().equals(holder) ? 1 : 0);
    ClaimedJob ofKey = claimed.get(claimed.get(0).id().equals(holder) ? 0 : 1);
    assertThat(keys.letGo("").jobs()).isZero();
    end(other, Outcome.SUCCESS, 0);
    resolve();
    assertThat(value("waits_for_key", keyed.id())).isEqualTo("t"); // its key is in use
    end(ofKey, Outcome.SUCCESS, 0); // which lets it go
    succeed(keyed.id());

    UUID second = submit();
    NewJob next =
        job(spec(3, OnLost.RETRY, "key", null), null, HASH)
            .waitingFor(new Dependencies(List.of(second), OnDependencyFailure.CANCEL));
    stored(next);
    UUID ready = submit(spec(3, OnLost.RETRY, "key", null));
    claimed = claim(9);
    assertThat(claimed).extracting(ClaimedJob::id).containsExactlyInAnyOrder(second, ready);
    for (ClaimedJob one : claimed) {
      if (one.id().equals(ready)) {
        end(one, Outcome.SUCCESS, 0);
      }
    }
    assertThat(keys.letGo("").jobs()).isZero();
    assertThat(new Housekeeping(database.dataSource()).due(1_000).waitingKeys()).isFalse();
    assertThat(value("waits_for_jobs", next.id())).isEqualTo("1");
  }

  @Test
  void theDatabaseRefusesAClaimOfAJobThatWaits() throws SQLException {
    UUID waiting = submitAfter(submit());
    String update = "UPDATE errand.jobs SET %s WHERE id = '" + waiting + "'";
    assertThatThrownBy(() -> database.execute(update.formatted("waits_for_key = false")))
        .hasMessageContaining("jobs_wait_for_jobs");
    assertThatThrownBy(
            () ->
                database.execute(
                    update.formatted(
                        "state = 'running', worker = 'w', worker_id = id, claim_token = id, attempt = 1")))
        .hasMessageContaining("jobs_wait_for_jobs");
  }

  @Test
  void retentionKeepsWhatIsWaitedForAndTakesTheRowsWithTheJob() throws SQLException {
    Housekeeping housekeeping = new Housekeeping(database.dataSource());
    UUID first = submit();
    UUID second = submit();
    UUID waiting = submitAfter(first, second);
    List<ClaimedJob> claimed = claim(9);
    for (ClaimedJob one : claimed) {
      if (one.id().equals(first)) {
        end(one, Outcome.SUCCESS, 0);
      }
    }
    String age =
        "UPDATE errand.jobs SET created_at = now() - interval '9 days',"
            + " finished_at = finished_at - interval '9 days' WHERE finished_at > now() - interval '1 day'";
    database.execute(age);
    Duration twoDays = Duration.ofDays(2);
    dependencies.mark();
    assertThat(housekeeping.removeFinished("succeeded", twoDays, 10)).isZero();
    resolve(); // it has been told, and still waits for the second
    assertThat(housekeeping.removeFinished("succeeded", twoDays, 10)).isZero();
    for (ClaimedJob one : claimed) {
      if (one.id().equals(second)) {
        end(one, Outcome.SUCCESS, 0);
      }
    }
    resolve();
    assertThat(housekeeping.removeFinished("succeeded", twoDays, 10)).isEqualTo(1);
    assertThat(database.value("SELECT id || state FROM errand.removed_jobs"))
        .isEqualTo(first + "succeeded");
    DependencyReads reads = new DependencyReads(database.projectReads());
    assertThat(reads.page(waiting, ME, 0, null, 9).orElseThrow().after())
        .containsExactly(new Related(first, "succeeded"), new Related(second, "succeeded"));
    succeed(waiting);
    database.execute(age);
    assertThat(housekeeping.removeFinished("succeeded", twoDays, 10)).isEqualTo(2);
    assertThat(database.value("SELECT count(*) FROM errand.job_dependencies")).isEqualTo("0");
    assertThat(violations()).isEmpty();
  }

  @Test
  void whatIsWaitedForCanBeRead() throws SQLException {
    UUID first = submit();
    UUID second = submit();
    UUID waiting = submitAfter(second, first);
    DependencyReads reads = new DependencyReads(database.projectReads());
    assertThat(reads.pending(waiting, "default", 1)).hasSize(1);
    assertThat(reads.pending(waiting, "default", 9))
        .containsExactlyInAnyOrder(new Related(first, "queued"), new Related(second, "queued"));
    DependencyReads.Page page = reads.page(waiting, ME, 0, null, 9).orElseThrow();
    assertThat(page.after())
        .containsExactly(new Related(second, "queued"), new Related(first, "queued"));
    assertThat(page.waitingFor()).isEqualTo(2);
    assertThat(reads.page(waiting, ME, 1, null, 9).orElseThrow().after()).hasSize(1);
    assertThat(reads.page(first, ME, 0, null, 9).orElseThrow().before())
        .containsExactly(new Related(waiting, "queued"));
    assertThat(reads.page(first, ME, 0, waiting, 9).orElseThrow().before()).isEmpty();
    assertThat(reads.page(first, Access.toOwn(ProjectNames.DEFAULT, "other"), 0, null, 9))
        .isEmpty();
  }

  @Test
  void theAuditorFindsAJobThatCameTooEarlyOrWouldWaitForEver() throws SQLException {
    UUID first = submit();
    UUID waiting = submitAfter(first);
    assertThat(violations()).isEmpty();
    database.execute("UPDATE errand.job_dependencies SET marked = true");
    assertThat(violations())
        .containsExactly(
            "I11 no job before what it waits for: "
                + waiting
                + " waits for job "
                + first
                + ", whose end would not be noticed");
    database.execute("UPDATE errand.job_dependencies SET finished = true");
    assertThat(violations())
        .anyMatch(found -> found.endsWith("has finished, which is queued"))
        .anyMatch(found -> found.endsWith("waits for 1 jobs and has 0 unfinished dependencies"));
    database.execute(
        "UPDATE errand.jobs SET waits_for_jobs = 0, waits_for_key = false WHERE id = '"
            + waiting
            + "'");
    assertThat(claim(9)).hasSize(2);
    assertThat(violations())
        .anyMatch(
            found ->
                found.endsWith(
                    waiting + " was claimed in attempt 1 before job " + first + " had finished"));
  }
}
