package io.errand.profile;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;

/**
 * Which events are recorded: none but these. Events that carry variables, properties, command
 * lines, paths, addresses, messages or values are not among them, as all of these can hold secrets.
 */
final class RecordedEvents {
  private static final Set<String> NAMES =
      Set.of(
          ProcessSample.NAME,
          "jdk.CPULoad",
          "jdk.ThreadCPULoad",
          "jdk.JavaThreadStatistics",
          "jdk.ExecutionSample",
          "jdk.NativeMethodSample",
          "jdk.ObjectAllocationSample",
          "jdk.JavaMonitorEnter",
          "jdk.ThreadPark",
          "jdk.GarbageCollection",
          "jdk.GCHeapSummary",
          "jdk.CPUInformation",
          "jdk.PhysicalMemory");

  private static final Map<String, String> DETAILS =
      Map.of(
          "jdk.ExecutionSample#period", "10 ms",
          "jdk.NativeMethodSample#period", "20 ms",
          "jdk.ObjectAllocationSample#throttle", "300/s",
          "jdk.JavaMonitorEnter#threshold", "1 ms",
          "jdk.ThreadPark#threshold", "1 ms",
          "jdk.ThreadCPULoad#period", "1 s",
          "jdk.CPULoad#period", "1 s");

  private RecordedEvents() {}

  /** The settings of a recording. */
  static Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>(DETAILS);
    for (EventType type : FlightRecorder.getFlightRecorder().getEventTypes()) {
      settings.put(type.getName() + "#enabled", "false");
    }
    NAMES.forEach(name -> settings.put(name + "#enabled", "true"));
    return settings;
  }
}
