package io.errand.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.Access;
import io.errand.store.access.ProjectStore;
import io.errand.store.access.ProjectStore.Removal;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.SubmitStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Jobs that are added to a project while it is removed. */
class RemovedProjectsTest extends StoreFixture {
  private ProjectStore projects;

  @BeforeEach
  void makeProject() throws SQLException {
    projects = new ProjectStore(database.dataSource());
    projects.put("going", true, null);
  }

  @AfterEach
  void removeProject() throws SQLException {
    database.execute("DELETE FROM errand.jobs");
    projects.delete("going");
  }

  private static NewJob job() {
    return new NewJob(
        UUID.randomUUID(), in("going/q"), Access.toOwn("going", "tester"), null, HASH);
  }

  @Test
  void aJobThatIsNotCommittedYetKeepsItsProject() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      assertThat(SubmitStore.insert(connection, List.of(job()))).hasSize(1);
      assertThat(projects.delete("going")).isEqualTo(Removal.IN_USE);
      connection.commit();
    }
    assertThat(projects.delete("going")).isEqualTo(Removal.IN_USE);
    assertThat(projects.find("going")).isPresent();
  }

  @Test
  void aJobThatComesAfterTheRemovalIsRefused() throws SQLException {
    assertThat(projects.delete("going")).isEqualTo(Removal.REMOVED);
    assertThatThrownBy(() -> submit(job()))
        .isInstanceOfSatisfying(
            SQLException.class,
            refused -> assertThat(DatabaseCheck.isOwnerMissing(refused)).isTrue());
    assertThat(database.value("SELECT count(*) FROM errand.jobs")).isEqualTo("0");
  }
}
