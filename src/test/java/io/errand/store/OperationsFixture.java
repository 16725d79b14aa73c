package io.errand.store;

import io.errand.job.OnLost;
import io.errand.store.operations.Operation;
import io.errand.store.operations.OperationReads;
import io.errand.store.operations.OperationSteps;
import io.errand.store.operations.OperationStore;
import io.errand.store.submit.NewJob;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;

/** What tests of bulk changes share. */
abstract class OperationsFixture extends StoreFixture {
  OperationStore operations;
  OperationReads reads;
  OperationSteps steps;

  @BeforeEach
  void openOperations() {
    operations = new OperationStore(database.dataSource());
    reads = new OperationReads(database.projectReads());
    steps = new OperationSteps(database.dataSource());
  }

  /** Jobs that are held when their worker is lost. */
  void submitMany(int jobs, int maxAttempts) throws SQLException {
    List<NewJob> all = new ArrayList<>();
    for (int i = 0; i < jobs; i++) {
      all.add(job(spec(maxAttempts, OnLost.HOLD, null, null), null, HASH));
    }
    submits.submitAll(all);
  }

  Operation find(UUID id) throws SQLException {
    return reads.find(id, ME).orElseThrow();
  }
}
