package io.errand.job;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A place in a trace, as W3C Trace Context has it.
 *
 * @param traceId 32 lower-case hexadecimal digits, not all zero
 * @param spanId 16 lower-case hexadecimal digits, not all zero
 * @param flags of the trace: 1 for sampled, 2 for a random id
 * @param state {@code tracestate}, of at most {@value #MOST_STATE_BYTES} bytes of printable ASCII,
 *     or null
 */
public record TraceContext(String traceId, String spanId, int flags, @Nullable String state) {
  /** How much of {@code tracestate} is kept. */
  public static final int MOST_STATE_BYTES = 512;

  private static final int LENGTH = 55; // of version 00
  private static final int KNOWN_FLAGS = 3;
  private static final int MOST_MEMBERS = 32;
  private static final int MOST_NAME = 256;
  private static final int MOST_VALUE = 256;

  /**
   * Reads the headers of a request. What is not valid is ignored, as the standard has it: without a
   * valid {@code traceparent} there is no context, and an invalid {@code tracestate} is dropped.
   *
   * @param traceparents the values of the header, in order
   * @param tracestates the values of the header, in order
   */
  public static @Nullable TraceContext ofHeaders(
      List<String> traceparents, List<String> tracestates) {
    if (traceparents.size() != 1) {
      return null;
    }
    TraceContext context = ofTraceparent(traceparents.get(0).strip());
    return context == null || tracestates.isEmpty()
        ? context
        : new TraceContext(
            context.traceId, context.spanId, context.flags, state(String.join(",", tracestates)));
  }

  /** Reads what {@link #stored} has made; null stands for none, as does what is not that. */
  public static @Nullable TraceContext ofStored(@Nullable String stored) {
    if (stored == null) {
      return null;
    }
    int space = stored.indexOf(' ');
    return space < 0
        ? ofTraceparent(stored)
        : ofHeaders(List.of(stored.substring(0, space)), List.of(stored.substring(space + 1)));
  }

  /** As it is kept with a job: {@code traceparent}, and behind a space {@code tracestate}. */
  public String stored() {
    return state == null ? traceparent() : traceparent() + ' ' + state;
  }

  /** The header of this place. */
  public String traceparent() {
    return "00-" + traceId + '-' + spanId + "-0" + flags;
  }

  /** Whether somebody records this trace. */
  public boolean isSampled() {
    return (flags & 1) == 1;
  }

  /** Another place in the same trace. */
  public TraceContext at(String otherSpanId, boolean sampled) {
    return new TraceContext(traceId, otherSpanId, sampled ? flags | 1 : flags & ~1, state);
  }

  /** A later version may append fields; its first four are read as those of version 00. */
  private static @Nullable TraceContext ofTraceparent(String text) {
    if (text.length() < LENGTH
        || !isHex(text, 0, 2)
        || text.startsWith("ff")
        || text.charAt(2) != '-'
        || !isId(text, 3, 35)
        || text.charAt(35) != '-'
        || !isId(text, 36, 52)
        || text.charAt(52) != '-'
        || !isHex(text, 53, LENGTH)
        || (text.length() > LENGTH && (text.startsWith("00") || text.charAt(LENGTH) != '-'))) {
      return null;
    }
    int flags = Character.digit(text.charAt(54), 16) & KNOWN_FLAGS;
    return new TraceContext(text.substring(3, 35), text.substring(36, 52), flags, null);
  }

  private static boolean isHex(String text, int from, int to) {
    for (int i = from; i < to; i++) {
      char one = text.charAt(i);
      if ((one < '0' || one > '9') && (one < 'a' || one > 'f')) {
        return false;
      }
    }
    return true;
  }

  private static boolean isId(String text, int from, int to) {
    if (!isHex(text, from, to)) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (text.charAt(i) != '0') {
        return true;
      }
    }
    return false;
  }

  /** The first of its members that fit, or null where none is left or one is not valid. */
  private static @Nullable String state(String text) {
    List<String> kept = new ArrayList<>();
    int bytes = -1;
    int members = 0;
    for (String given : text.split(",", -1)) {
      String member = given.strip();
      if (member.isEmpty()) {
        continue;
      }
      members++;
      if (members > MOST_MEMBERS || !isMember(member)) {
        return null;
      }
      bytes += 1 + member.length();
      if (bytes <= MOST_STATE_BYTES) {
        kept.add(member);
      }
    }
    return kept.isEmpty() ? null : String.join(",", kept);
  }

  private static boolean isMember(String member) {
    int equals = member.indexOf('=');
    if (equals < 1 || equals > MOST_NAME || member.length() - equals - 1 > MOST_VALUE) {
      return false;
    }
    for (int i = 0; i < equals; i++) {
      if (!isOfName(member.charAt(i))) {
        return false;
      }
    }
    for (int i = equals + 1; i < member.length(); i++) {
      char one = member.charAt(i);
      if (one < ' ' || one > '~' || one == '=') {
        return false;
      }
    }
    return member.length() > equals + 1;
  }

  private static boolean isOfName(char one) {
    return (one >= 'a' && one <= 'z') || (one >= '0' && one <= '9') || "_-*/@".indexOf(one) >= 0;
  }
}
