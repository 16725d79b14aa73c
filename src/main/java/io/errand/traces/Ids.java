package io.errand.traces;

import io.opentelemetry.sdk.trace.IdGenerator;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Ids of spans. Those of an attempt follow from the job and the number of the attempt: so the
 * command knows the span that it belongs to before that has ended, and whoever writes about an
 * attempt whose worker is lost writes about the same span.
 */
final class Ids implements IdGenerator {
  private static final IdGenerator RANDOM = IdGenerator.random();
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final ThreadLocal<@Nullable String> next = new ThreadLocal<>();

  /** Which span of an attempt. */
  enum Part {
    CLAIM,
    PROCESS
  }

  /** 16 hexadecimal digits, not all zero. */
  static String of(UUID job, int attempt, Part part) {
    long seed = attempt * (long) Part.values().length + part.ordinal() + 1;
    long id =
        mixed(mixed(job.getMostSignificantBits() + seed * GOLDEN) ^ job.getLeastSignificantBits());
    return "%016x".formatted(id == 0 ? GOLDEN : id);
  }

  /** SplitMix64: no two numbers give the same. */
  private static long mixed(long number) {
    long mixed = (number ^ (number >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }

  /** The next span that is begun on this thread gets this id. */
  void use(String spanId) {
    next.set(spanId);
  }

  @Override
  public String generateSpanId() {
    String wanted = next.get();
    if (wanted == null) {
      return RANDOM.generateSpanId();
    }
    next.remove();
    return wanted;
  }

  @Override
  public String generateTraceId() {
    return RANDOM.generateTraceId();
  }
}
