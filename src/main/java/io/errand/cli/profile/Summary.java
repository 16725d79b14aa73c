package io.errand.cli.profile;

import io.errand.text.Visible;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import jdk.jfr.consumer.RecordedClass;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordedThread;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/**
 * Reads a recording of JDK Flight Recorder, event by event, and says what takes time and memory in
 * some sixty lines.
 */
public final class Summary {
  private static final int MOST_METHODS = 12;
  private static final int MOST_OTHERS = 6;
  private static final int MOST_THREADS = 10;
  private static final double MEGABYTE = 1024 * 1024;
  private static final double MILLIS = 1e6;
  private static final String OURS = "io.errand.";
  private static final String LOCKS = "java.util.concurrent.locks.";

  private static final Map<String, String> PRIMITIVES =
      Map.of(
          "B", "byte", "C", "char", "D", "double", "F", "float", "I", "int", "J", "long", "S",
          "short", "Z", "boolean");

  private final Tally methods = new Tally();
  private final Tally natives = new Tally();
  private final Tally allocatedClasses = new Tally();
  private final Tally allocatingMethods = new Tally();
  private final Tally locks = new Tally();
  private final Tally threads = new Tally();
  private final Range descriptors = new Range();
  private final Range liveThreads = new Range();
  private final Range children = new Range();
  private final Range zombies = new Range();
  private final Range machine = new Range();
  private final Range server = new Range();
  private final Range pauses = new Range();
  private final Range heap = new Range();
  private long events;
  private int processors = 1;
  private Instant first = Instant.MAX;
  private Instant last = Instant.MIN;

  private Summary() {}

  /**
   * Reads a file.
   *
   * @return the summary, each line with its end
   * @throws IOException if it cannot be read, or is no recording
   */
  public static String of(Path file) throws IOException {
    Summary summary = new Summary();
    try (RecordingFile recording = new RecordingFile(file)) {
      while (recording.hasMoreEvents()) {
        summary.add(recording.readEvent());
      }
    } catch (RuntimeException e) {
      throw new IOException("it is no whole recording of JDK Flight Recorder", e);
    }
    return summary.text();
  }

  private void add(RecordedEvent event) {
    events++;
    first = event.getStartTime().isBefore(first) ? event.getStartTime() : first;
    last = event.getEndTime().isAfter(last) ? event.getEndTime() : last;
    switch (event.getEventType().getName()) {
      case "errand.Process" -> {
        descriptors.add(event.getInt("descriptors"));
        liveThreads.add(event.getInt("threads"));
        children.add(event.getInt("children"));
        zombies.add(event.getInt("zombies"));
      }
      case "jdk.ExecutionSample" -> methods.add(place(event), 1);
      case "jdk.NativeMethodSample" -> natives.add(place(event), 1);
      case "jdk.ObjectAllocationSample" -> {
        double bytes = event.getLong("weight");
        allocatedClasses.add(name(event.getClass("objectClass")), bytes);
        allocatingMethods.add(place(event), bytes);
      }
      case "jdk.JavaMonitorEnter" -> waited(event, event.getClass("monitorClass"));
      case "jdk.ThreadPark" -> {
        RecordedClass parked = event.getClass("parkedClass");
        String name = name(parked);
        if (name.startsWith(LOCKS) && name.endsWith("Sync")) { // and no thread that waits for work
          waited(event, parked);
        }
      }
      case "jdk.ThreadCPULoad" -> {
        RecordedThread thread = event.getThread("eventThread");
        String name = thread == null ? null : thread.getJavaName();
        threads.add(
            name == null ? "(threads of the JVM)" : name,
            event.getFloat("user") + event.getFloat("system"));
      }
      case "jdk.CPULoad" -> {
        machine.add(event.getFloat("machineTotal"));
        server.add(event.getFloat("jvmUser") + event.getFloat("jvmSystem"));
      }
      case "jdk.CPUInformation" -> processors = Math.max(1, event.getInt("hwThreads"));
      case "jdk.GarbageCollection" -> pauses.add(event.getDuration("sumOfPauses").toNanos());
      case "jdk.GCHeapSummary" -> {
        if (event.getString("when").equals("After GC")) {
          heap.add(event.getLong("heapUsed"));
        }
      }
      default -> {}
    }
  }

  private void waited(RecordedEvent event, @Nullable RecordedClass lock) {
    locks.add(name(lock) + " at " + place(event), event.getDuration().toNanos());
  }

  /** As Java's language writes it: an array has the name of a type descriptor otherwise. */
  private static String name(@Nullable RecordedClass type) {
    if (type == null) {
      return "(unknown)";
    }
    String name = type.getName();
    int dimensions = name.lastIndexOf('[') + 1;
    if (dimensions == 0) {
      return name;
    }
    String element = name.substring(dimensions);
    String shown =
        element.startsWith("L") && element.endsWith(";")
            ? element.substring(1, element.length() - 1)
            : PRIMITIVES.getOrDefault(element, element);
    return shown + "[]".repeat(dimensions);
  }

  /** The method, and which of ours called it if it is not one of ours. */
  private static String place(RecordedEvent event) {
    RecordedStackTrace trace = event.getStackTrace();
    List<RecordedFrame> frames = trace == null ? List.of() : trace.getFrames();
    if (frames.isEmpty()) {
      return "(unknown)";
    }
    String top = method(frames.get(0));
    return top.startsWith(OURS)
        ? top
        : frames.stream()
            .map(Summary::method)
            .filter(name -> name.startsWith(OURS))
            .findFirst()
            .map(ours -> top + " < " + ours)
            .orElse(top);
  }

  private static String method(RecordedFrame frame) {
    RecordedMethod method = frame.getMethod();
    return method == null ? "(unknown)" : name(method.getType()) + "." + method.getName();
  }

  private String text() {
    StringBuilder text = new StringBuilder();
    double seconds = events == 0 ? 0 : Duration.between(first, last).toMillis() / 1000.0;
    line(text, "%.1f s, %d events", seconds, events);
    line(text, "");
    line(text, "PROCESS              least     most     last");
    counted(text, "descriptors", descriptors);
    counted(text, "threads", liveThreads);
    counted(text, "children", children);
    counted(text, "zombies", zombies);
    if (!machine.isEmpty()) {
      line(
          text,
          "%-16s %.0f %% of %d processors in the mean, %.0f %% at most; the whole machine %.0f %%",
          "processor",
          100 * server.mean(),
          processors,
          100 * server.most(),
          100 * machine.mean());
    }
    if (!pauses.isEmpty()) {
      line(
          text,
          "%-16s %d collections, %.0f ms in all, %.0f ms at most",
          "collector",
          pauses.count(),
          pauses.total() / MILLIS,
          pauses.most() / MILLIS);
    }
    if (!heap.isEmpty()) {
      line(
          text,
          "%-16s %.0f to %.0f MiB after collections",
          "heap",
          heap.least() / MEGABYTE,
          heap.most() / MEGABYTE);
    }
    shares(text, "HOTTEST METHODS, " + methods.count() + " samples", methods, MOST_METHODS);
    shares(text, "IN NATIVE CODE, " + natives.count() + " samples", natives, MOST_OTHERS);
    String allocated =
        String.format(Locale.ROOT, "about %.0f MiB", allocatedClasses.total() / MEGABYTE);
    shares(text, "ALLOCATION BY METHOD, " + allocated, allocatingMethods, MOST_METHODS);
    shares(text, "ALLOCATION BY CLASS", allocatedClasses, MOST_OTHERS);
    locks(text);
    threads(text, machine.count());
    return text.toString();
  }

  private static void counted(StringBuilder text, String name, Range range) {
    if (!range.isEmpty()) {
      line(text, "%-16s %9.0f %8.0f %8.0f", name, range.least(), range.most(), range.last());
    }
  }

  private static void shares(StringBuilder text, String title, Tally tally, int most) {
    if (tally.count() == 0) {
      return;
    }
    line(text, "");
    line(text, "%s", title);
    for (Tally.Row row : tally.top(most)) {
      line(text, "%5.1f %%  %s", 100 * row.total() / tally.total(), row.name());
    }
  }

  private void locks(StringBuilder text) {
    line(text, "");
    line(text, "WAITS FOR LOCKS of 1 ms and more, %d", locks.count());
    for (Tally.Row row : locks.top(MOST_OTHERS)) {
      line(
          text,
          "%6d times, %.0f ms in all, %.0f ms at most: %s",
          row.count(),
          row.total() / MILLIS,
          row.longest() / MILLIS,
          row.name());
    }
  }

  /** What is reported each second is a share of the whole machine. */
  private void threads(StringBuilder text, long seconds) {
    line(text, "");
    line(text, "THREADS by their share of one processor");
    for (Tally.Row row : threads.top(MOST_THREADS)) {
      line(text, "%5.1f %%  %s", 100 * row.total() * processors / Math.max(1, seconds), row.name());
    }
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(Visible.line(String.format(Locale.ROOT, format, values))).append('\n');
  }
}
