package io.errand.style;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestPlan;

/**
 * A wait that sets no bound of its own lasts at most a minute, where Awaitility has ten seconds.
 */
public final class WaitsOnBusyMachines implements TestExecutionListener {
  @Override
  public void testPlanExecutionStarted(TestPlan plan) {
    Awaitility.setDefaultTimeout(Duration.ofMinutes(1));
  }
}
