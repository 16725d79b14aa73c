package io.errand.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.store.audit.AuditEntry;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What becomes of refused requests, with a clock of the test's own. */
class RefusedTriesTest {
  private static final long NOW = 5_000_000_000L;
  private static final long LATER = NOW + RefusedTries.WINDOW_NANOS;

  private final RefusedTries tries = new RefusedTries();

  private static AuditEntry from(@Nullable String address, int status) {
    return new AuditEntry(
        AuditEntry.REFUSED, null, "GET /v1/jobs", null, null, null, address, "r", status, 1);
  }

  @Test
  void theFirstIsGivenOutAtOnceAndTheOthersOfItsMinuteTogether() {
    tries.add(from("a", 401), NOW);
    assertThat(tries.take(NOW, false)).containsExactly(from("a", 401));
    for (int i = 0; i < 1_000; i++) {
      tries.add(from("a", 401), NOW + 1);
    }
    tries.add(from("a", 403), NOW + 1);
    assertThat(tries.take(NOW + 1, false)).containsExactly(from("a", 403));
    assertThat(tries.take(LATER, false)).containsExactly(from("a", 401).times(1_000));
    assertThat(tries.take(LATER, false)).isEmpty();
    tries.add(from("a", 401), LATER);
    assertThat(tries.take(LATER, false)).hasSize(1);
  }

  private static AuditEntry to(String action, @Nullable String thing) {
    AuditEntry.Who who = new AuditEntry.Who("p", "n", "k", "key", "viewer", "default");
    return new AuditEntry(AuditEntry.REFUSED, who, action, thing, null, null, "a", "r", 403, 1);
  }

  @Test
  void eachActionOfACallerHasARowOfItsOwn() {
    tries.add(to("GET /v1/audit", null), NOW);
    tries.add(to("DELETE /v1/keys/{id}", "first"), NOW);
    assertThat(tries.take(NOW, false))
        .containsExactly(to("GET /v1/audit", null), to("DELETE /v1/keys/{id}", "first"));
    tries.add(to("DELETE /v1/keys/{id}", "second"), NOW);
    tries.add(to("POST /v1/keys", null), NOW);
    assertThat(tries.take(NOW, false)).containsExactly(to("POST /v1/keys", null));
    tries.add(to("PATCH /v1/queues/{name}", "q"), LATER - 1);
    tries.add(to("PATCH /v1/queues/{name}", "q"), LATER - 1);
    tries.add(to("PATCH /v1/queues/{name}", "r"), LATER - 1);
    assertThat(tries.take(LATER, false))
        .containsExactly(
            to("DELETE /v1/keys/{id}", "second"),
            to("PATCH /v1/queues/{name}", "q" + RefusedTries.AND_OTHERS).times(3));
  }

  @Test
  void actionsOfOneClientAreBoundedAndPushNobodyElseOut() {
    for (int i = 0; i < 10 * RefusedTries.MOST_ACTIONS; i++) {
      tries.add(to("M" + i + " ?", null), NOW);
    }
    tries.add(from("b", 401), NOW);
    List<AuditEntry> taken = tries.take(NOW, false);
    assertThat(taken).hasSize(RefusedTries.MOST_ACTIONS + 2).contains(from("b", 401));
    AuditEntry others =
        taken.stream()
            .filter(one -> one.action().equals(RefusedTries.OTHER_ACTIONS))
            .findAny()
            .orElseThrow();
    assertThat(others.who()).isNotNull();
    assertThat(others.address()).isEqualTo("a");
    assertThat(others.tries()).isEqualTo(9 * RefusedTries.MOST_ACTIONS);
  }

  @Test
  void manyAddressesAreOneGroupBeyondTheBound() {
    for (int i = 0; i < 10 * RefusedTries.MOST; i++) {
      tries.add(from("address " + i, 401), NOW);
    }
    List<AuditEntry> taken = tries.take(NOW, false);
    assertThat(taken).hasSize(RefusedTries.MOST + 1);
    AuditEntry others = taken.get(RefusedTries.MOST);
    assertThat(others.action()).isEqualTo(RefusedTries.OTHERS);
    assertThat(others.address()).isNull();
    assertThat(others.tries()).isEqualTo(9 * RefusedTries.MOST);
  }

  @Test
  void nothingIsLeftAtTheEnd() {
    tries.add(from("a", 401), NOW);
    tries.take(NOW, false);
    tries.add(from("a", 401), NOW);
    assertThat(tries.take(NOW, true)).containsExactly(from("a", 401));
    assertThat(tries.take(NOW, true)).isEmpty();
  }
}
