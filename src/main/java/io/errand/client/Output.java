package io.errand.client;

import java.util.Map;

/** What a command prints, as {@link ErrandClient#output} brings it. */
public final class Output {
  private Output() {}

  /** Takes it. The bytes of a stream come in order; those that the server lacks are told once. */
  public interface Handler {
    /**
     * Bytes of stdout.
     *
     * @param attempt from 1
     * @param offset of the first of them, in bytes of the stream of this attempt
     */
    void stdout(int attempt, long offset, byte[] bytes);

    /** Bytes of stderr. */
    void stderr(int attempt, long offset, byte[] bytes);

    /**
     * Bytes that the server has not kept.
     *
     * @param stream {@code stdout} or {@code stderr}
     * @param to exclusive
     */
    default void missing(int attempt, String stream, long from, long to) {}

    /** Called with the position behind all that was handed over so far. */
    default void reached(Position position) {}
  }

  /**
   * A place in the output.
   *
   * @param attempt from 1, or 0 for the beginning of the latest
   * @param stdoutBytes how many bytes of stdout of this attempt come before it
   * @param stderrBytes the same for stderr
   */
  public record Position(int attempt, long stdoutBytes, long stderrBytes) {
    /** Before the first byte of the first attempt. */
    public static final Position START = new Position(1, 0, 0);

    /** Before the first byte of the latest attempt. */
    public static final Position LATEST = new Position(0, 0, 0);

    String eventId() {
      return attempt == 0 ? "" : attempt + ":" + stdoutBytes + ":" + stderrBytes;
    }

    static Position of(String eventId) throws Json.MalformedException {
      String[] parts = eventId.split(":", -1);
      try {
        return new Position(
            Integer.parseInt(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw new Json.MalformedException("an event has no position");
      }
    }
  }

  /**
   * How it ended.
   *
   * @param job as it has finished
   * @param missingBytes of all streams and attempts that were read; 0 if all was handed over
   */
  public record End(Job job, long missingBytes) {
    /** Whether every byte was handed over. */
    public boolean isComplete() {
      return missingBytes == 0;
    }
  }

  static long number(Map<String, Object> data, String field) throws Json.MalformedException {
    Object number = data.get(field);
    if (number instanceof Integer || number instanceof Long) {
      return ((Number) number).longValue();
    }
    throw new Json.MalformedException("an event has no number " + field);
  }
}
