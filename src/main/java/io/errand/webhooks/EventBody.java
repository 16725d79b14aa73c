package io.errand.webhooks;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.jobs.JobAnswers.ReadJob;
import io.errand.api.jobs.JobView;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.WireTime;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.webhooks.ClaimedDelivery;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is sent: an event of CloudEvents 1.0 in the structured mode of JSON, whose data is the job
 * as a client gets it in a list, without its output.
 */
@ApplicationScoped
public class EventBody {
  static final String CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8";

  private final JobAnswers jobs;
  private final AnswerBudget budget;

  EventBody(JobAnswers jobs, AnswerBudget budget) {
    this.jobs = jobs;
    this.budget = budget;
  }

  /**
   * A body, whose bytes are reserved.
   *
   * @param parts of it, in order
   * @param held to be closed by the owner
   */
  record Body(List<byte[]> parts, Reservation held) implements AutoCloseable {
    @Override
    public void close() {
      held.close();
    }
  }

  /** An event, with the names of the specification. */
  @JsonPropertyOrder({
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "data"
  })
  record Event(
      String specversion,
      UUID id,
      String source,
      String type,
      UUID subject,
      @Nullable String time,
      String datacontenttype,
      JobView data) {}

  /**
   * The body of a delivery. The job has finished, so it is the same in each try.
   *
   * @return null where the job has been removed
   * @throws Problem where there is no memory for it at the moment
   */
  @Nullable Body of(ClaimedDelivery delivery) throws SQLException {
    ReadJob read;
    try {
      read = jobs.read(delivery.jobId(), delivery.access());
    } catch (Problem problem) {
      if (problem.status() == Kind.NOT_FOUND.status) {
        return null;
      }
      throw problem;
    }
    Event event =
        new Event(
            "1.0",
            delivery.id(),
            "urn:errand",
            delivery.type(),
            delivery.jobId(),
            WireTime.format(read.job().finishedAt),
            "application/json",
            JobView.listed(read.job()));
    return new Body(budget.chunks(event, read.held()), read.held());
  }
}
