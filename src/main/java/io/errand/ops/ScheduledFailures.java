package io.errand.ops;

import io.quarkus.scheduler.FailedExecution;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.jboss.logging.Logger;

/**
 * Logs scheduled tasks that have failed. The framework would also log one that was about to begin
 * when the server ended, with a stack trace.
 */
@ApplicationScoped
class ScheduledFailures {
  private static final Logger LOG = Logger.getLogger(ScheduledFailures.class);

  void onFailure(@Observes FailedExecution failure) {
    LOG.errorf(
        failure.getException(),
        "The task %s has failed",
        failure.getExecution().getTrigger().getMethodDescription());
  }
}
