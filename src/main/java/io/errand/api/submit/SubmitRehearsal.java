package io.errand.api.submit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.jobs.JobView;
import io.errand.api.request.JsonBody;
import io.errand.job.Access;
import io.errand.job.ProjectNames;
import io.errand.queue.Fingerprint;
import io.errand.queue.QueueRules;
import io.errand.store.RolledBack;
import io.errand.store.submit.NewJob;
import io.errand.store.submit.Submission;
import io.errand.store.submit.SubmitStore;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/**
 * Submits a job in a transaction that is rolled back, so that the first job of a client finds all
 * classes loaded. No row, event, count or notification is left.
 */
@ApplicationScoped
public class SubmitRehearsal {
  private static final Logger LOG = Logger.getLogger(SubmitRehearsal.class);
  private static final byte[] BODY =
      "{\"command\":[\"echo\",\"rehearsal\"]}".getBytes(StandardCharsets.UTF_8);

  private final RolledBack rolledBack;
  private final ObjectMapper mapper;

  SubmitRehearsal(RolledBack rolledBack, ObjectMapper mapper) {
    this.rolledBack = rolledBack;
    this.mapper = mapper;
  }

  /** Whatever fails here is of no consequence. */
  public void run() {
    try {
      JsonNode value = JsonBody.read(BODY);
      NewJob job =
          new NewJob(
              UUID.randomUUID(),
              SubmitResource.spec(value, QueueRules.NONE),
              Access.toOwn(ProjectNames.DEFAULT, "rehearsal"),
              null,
              Fingerprint.of(value).hex());
      rolledBack.run(source -> run(source, job));
    } catch (SQLException | RuntimeException e) {
      LOG.debugf("Nothing was rehearsed: %s", e.getMessage());
    }
  }

  private void run(DataSource source, NewJob job) throws SQLException {
    for (Submission submission : new SubmitStore(source).submitEach(List.of(job), false)) {
      if (submission instanceof Submission.Accepted accepted && accepted.job() != null) {
        try {
          mapper.writeValueAsBytes(JobView.listed(accepted.job()));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }
}
