package io.errand.api.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.jobs.OutputText;
import io.errand.api.problem.Problem;
import io.errand.api.request.WireTime;
import io.errand.auth.Identity;
import io.errand.auth.KeyMark;
import io.errand.job.Access;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.store.reads.KeptOutput;
import io.errand.store.workers.WatchStore.Chunk;
import io.errand.store.workers.WatchStore.Position;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import jakarta.ws.rs.sse.SseEventSink;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Somebody who watches the output of a job: where they are, and how to tell them more. The id of
 * each event, {@code attempt:stdout:stderr}, is all that is needed to go on from there on any node.
 *
 * <p>Belongs to the thread of {@link LiveOutput}. Whoever reads slowly is simply not told more
 * until they have read; what is gone by then is a gap.
 */
final class LiveViewer {
  private static final int MOST_UNREAD = 32;

  /** As text, with its escapes; one event may pass it. */
  private static final long MOST_UNREAD_CHARACTERS = 128 * 1024;

  private static final int SLICE_BYTES = 16 * 1024;
  private static final long HEARTBEAT_NANOS = TimeUnit.SECONDS.toNanos(15);

  private final UUID jobId;
  private final Access access;
  private final @Nullable KeyMark key;
  private final @Nullable Instant end;
  private final SseEventSink sink;
  private final Sse sse;
  private final ObjectMapper mapper;
  private final AnswerBudget budget;
  private final Runnable onReady;
  private final AtomicLong unreadCharacters = new AtomicLong();
  private final AtomicInteger unread = new AtomicInteger();
  private final StreamPosition stdout = new StreamPosition("stdout");
  private final StreamPosition stderr = new StreamPosition("stderr");
  private int attempt;
  private int heardAttempt;
  private long lastChunkId;
  private long lastRound;
  private String lastState = "";
  private @Nullable String sentAt; // the piece that is being told, if it is live
  private long lastSentNanos = System.nanoTime();

  LiveViewer(
      UUID jobId,
      Identity caller,
      @Nullable KeyMark key,
      SseEventSink sink,
      Sse sse,
      ObjectMapper mapper,
      AnswerBudget budget,
      Runnable onReady) {
    this.budget = budget;
    this.onReady = onReady;
    this.jobId = jobId;
    this.access = caller.access();
    this.end = caller.endsByItself();
    this.key = key;
    this.sink = sink;
    this.sse = sse;
    this.mapper = mapper;
  }

  /** How far one stream has been told. */
  private static final class StreamPosition {
    private final String name;
    private long offset;
    private byte[] cut = new byte[0]; // the beginning of a character whose rest has not come yet

    private StreamPosition(String name) {
      this.name = name;
    }
  }

  UUID jobId() {
    return jobId;
  }

  Access access() {
    return access;
  }

  /** The key that it is seen with, or null where that is none that could end. */
  @Nullable KeyMark key() {
    return key;
  }

  int attempt() {
    return attempt;
  }

  long lastChunkId() {
    return lastChunkId;
  }

  /** Whether the token that it is seen with has ended. */
  boolean isOver() {
    return end != null && !end.isAfter(Instant.now());
  }

  boolean isGone() {
    return sink.isClosed();
  }

  /** Whether they have read enough of what was sent to be sent more. */
  boolean isReady() {
    return unread.get() < MOST_UNREAD && unreadCharacters.get() < MOST_UNREAD_CHARACTERS;
  }

  /**
   * Where to begin.
   *
   * @param lastEventId of the last event that they have, or null
   * @param latestAttempt where somebody begins who has none
   * @throws Problem 400 if it is none of ours
   */
  void begin(@Nullable String lastEventId, int latestAttempt) {
    EventId last = EventId.read(lastEventId);
    if (last == null) {
      attempt = Math.max(1, latestAttempt);
      return;
    }
    attempt = last.attempt();
    stdout.offset = last.stdout();
    stderr.offset = last.stderr();
  }

  /** Whether they have been told nothing of the attempt where they are. */
  boolean hasNothing() {
    return stdout.offset + stderr.offset == 0;
  }

  /** Leaves pieces of live output out, up to this one. */
  void beginBehind(long chunkId) {
    lastChunkId = chunkId;
  }

  Position position() {
    return new Position(jobId, attempt, lastChunkId);
  }

  /** The round in which they were told something last. */
  long lastRound() {
    return lastRound;
  }

  void toldIn(long round) {
    lastRound = round;
  }

  /** Goes on with a later attempt, unless they are there already. */
  void skipTo(int later) {
    if (later == attempt) {
      return;
    }
    attempt = later;
    lastChunkId = 0;
    for (StreamPosition stream : new StreamPosition[] {stdout, stderr}) {
      stream.offset = 0;
      stream.cut = new byte[0];
    }
  }

  /** Tells the state, if it is another than before. */
  void state(String state, int jobsAttempt) {
    String now = state + ' ' + jobsAttempt;
    if (!now.equals(lastState)
        && offer(event("state", Map.of("state", state, "attempt", jobsAttempt)))) {
      lastState = now;
    }
  }

  /** Whether there are bytes before this piece of live output that they have not been told. */
  boolean misses(boolean isStderr, long start) {
    StreamPosition stream = isStderr ? stderr : stdout;
    return start > stream.offset + stream.cut.length;
  }

  /** Tells what is kept of one stream from its beginning on without a gap, as long as they read. */
  void keptBeginning(boolean isStderr, KeptOutput output) {
    byte[] bytes = output.kept();
    int end = output.droppedBytes() > 0 ? output.headBytes() : bytes.length;
    tellSlices(isStderr ? stderr : stdout, 0, bytes, 0, end, false);
  }

  /** Tells a piece of live output. */
  void chunk(Chunk chunk) {
    lastChunkId = chunk.id();
    sentAt = WireTime.format(chunk.sentAt().toInstant());
    tell(chunk.stderr() ? stderr : stdout, chunk.startByte(), chunk.data(), false);
    sentAt = null;
  }

  /** Whether they have been told all of an attempt that has ended: it need not be read again. */
  boolean hasHeardAttempt() {
    return heardAttempt == attempt;
  }

  void hearAll() {
    heardAttempt = attempt;
  }

  /** Tells what they have not heard yet of an attempt that has ended. */
  void kept(KeptOutput keptStdout, KeptOutput keptStderr) {
    if (tellKept(stdout, keptStdout) && tellKept(stderr, keptStderr)) {
      heardAttempt = attempt;
    }
  }

  private boolean tellKept(StreamPosition stream, KeptOutput output) {
    byte[] bytes = output.kept();
    int head = output.headBytes();
    boolean headIsAll = output.droppedBytes() > 0 || bytes.length == head;
    return tellSlices(stream, 0, bytes, 0, head, headIsAll)
        && tellSlices(stream, head + output.droppedBytes(), bytes, head, bytes.length, true);
  }

  /** Tells a part of what is kept, as long as they read it; whether they have been told all. */
  private boolean tellSlices(
      StreamPosition stream, long start, byte[] bytes, int from, int to, boolean last) {
    if (from == to) {
      tell(stream, start, new byte[0], last);
      return true;
    }
    for (int at = from; at < to; at += SLICE_BYTES) {
      int end = Math.min(to, at + SLICE_BYTES);
      long sliceStart = start + at - from;
      boolean lastSlice = last && end == to;
      if (sliceStart + end - at <= stream.offset + stream.cut.length && !lastSlice) {
        continue;
      }
      if (!isReady()) {
        return false;
      }
      tell(stream, sliceStart, Arrays.copyOfRange(bytes, at, end), lastSlice);
    }
    return true;
  }

  /** Tells the result, and that this is all; where there is no memory for it, not yet. */
  void end(Object job) {
    if (offer(event("end", job))) {
      sink.close();
    }
  }

  void close() {
    sink.close();
  }

  void heartbeatIfQuiet() {
    if (System.nanoTime() - lastSentNanos > HEARTBEAT_NANOS) {
      offer(sse.newEventBuilder().comment("still here").build());
    }
  }

  private void tell(StreamPosition stream, long start, byte[] data, boolean last) {
    long heardTo = stream.offset + stream.cut.length;
    if (start > heardTo) {
      flushCut(stream);
      send("gap", gap(stream.name, stream.offset, start));
      stream.offset = start;
    } else if (start < heardTo) {
      long known = heardTo - start;
      if (known >= data.length) {
        if (last) {
          flushCut(stream);
        }
        return;
      }
      data = Arrays.copyOfRange(data, (int) known, data.length);
    }
    byte[] all = joined(stream.cut, data);
    int end = last ? all.length : OutputText.withoutCutCharacter(all, all.length);
    stream.cut = Arrays.copyOfRange(all, end, all.length);
    text(stream, Arrays.copyOf(all, end));
  }

  /** The rest of that character will never come. */
  private void flushCut(StreamPosition stream) {
    byte[] cut = stream.cut;
    stream.cut = new byte[0];
    text(stream, cut);
  }

  private void text(StreamPosition stream, byte[] bytes) {
    if (bytes.length == 0) {
      return;
    }
    Map<String, Object> event = new LinkedHashMap<>();
    event.put("attempt", attempt);
    event.put("offset", stream.offset);
    String text = new String(bytes, StandardCharsets.UTF_8);
    event.put("text", text);
    if (!Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
      event.put("base64", Base64.getEncoder().encodeToString(bytes));
    }
    if (sentAt != null) {
      event.put("sent_at", sentAt);
    }
    stream.offset += bytes.length;
    send(stream.name, event);
  }

  private static Map<String, Object> gap(String stream, long from, long to) {
    Map<String, Object> event = new LinkedHashMap<>();
    event.put("stream", stream);
    event.put("from", from);
    event.put("to", to);
    return event;
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  private OutboundSseEvent event(String name, Object data) {
    try {
      return sse.newEventBuilder()
          .name(name)
          .id(attempt + ":" + stdout.offset + ":" + stderr.offset)
          .data(String.class, mapper.writeValueAsString(data))
          .build();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("An event cannot be written as JSON", e);
    }
  }

  private void send(String name, Object data) {
    if (!offer(event(name, data))) {
      sink.close(); // they come again with Last-Event-ID, which has not moved for them
    }
  }

  /** Sends an event, where there is memory for it; false where there is none. */
  private boolean offer(OutboundSseEvent event) {
    if (sink.isClosed()) {
      return true;
    }
    int characters = event.getData() instanceof String text ? text.length() : 64;
    // The text, and its bytes on their way to the socket: three for a character at most.
    Reservation held = budget.tryReserve(4L * characters);
    if (held == null) {
      return false;
    }
    lastSentNanos = System.nanoTime();
    unread.incrementAndGet();
    unreadCharacters.addAndGet(characters);
    sink.send(event)
        .whenComplete(
            (done, fault) -> {
              held.close();
              unread.decrementAndGet();
              unreadCharacters.addAndGet(-characters);
              onReady.run();
            });
    return true;
  }
}
