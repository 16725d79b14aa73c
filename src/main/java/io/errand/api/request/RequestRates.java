package io.errand.api.request;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How many requests each caller may still send to this process: a bucket of tokens for each of the
 * {@value #MOST_CALLERS} callers that sent one last. Safe from any thread.
 */
final class RequestRates {
  static final int MOST_CALLERS = 10_000;
  private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

  private final double perSecond;
  private final double burst;

  /** Guarded by itself. */
  private final Map<String, Bucket> byCaller =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
          return size() > MOST_CALLERS;
        }
      };

  /**
   * Buckets that are full.
   *
   * @param perSecond tokens that are added, above 0
   * @param burst how many a bucket holds, at least 1
   */
  RequestRates(double perSecond, double burst) {
    this.perSecond = perSecond;
    this.burst = burst;
  }

  private record Bucket(double left, long nanos) {}

  /**
   * What a request has met.
   *
   * @param isGranted whether there was a token
   * @param remaining how many whole ones are left
   * @param resetSeconds after how many seconds the bucket is full again
   * @param retrySeconds after how many seconds there is a token; 0 where one is left
   */
  record Allowance(boolean isGranted, long remaining, long resetSeconds, int retrySeconds) {}

  /** Takes a token of a caller, if it has one. */
  Allowance take(String caller, long nowNanos) {
    double left;
    boolean isGranted;
    synchronized (byCaller) {
      double has = at(byCaller.get(caller), nowNanos);
      isGranted = has >= 1;
      left = isGranted ? has - 1 : has;
      byCaller.put(caller, new Bucket(left, nowNanos));
    }
    return new Allowance(
        isGranted,
        (long) left,
        (long) Math.ceil((burst - left) / perSecond),
        left >= 1 ? 0 : (int) Math.ceil(Math.min(Integer.MAX_VALUE, (1 - left) / perSecond)));
  }

  private double at(@Nullable Bucket bucket, long nowNanos) {
    return bucket == null
        ? burst
        : Math.min(
            burst, bucket.left() + perSecond * Math.max(0, (nowNanos - bucket.nanos()) / NANOS));
  }

  /** The value of the header {@code RateLimit-Policy}. */
  String policy() {
    return "\"requests\";q=" + (long) burst + ";w=" + (long) Math.ceil(burst / perSecond);
  }

  /** The value of the header {@code RateLimit}. */
  static String limit(Allowance allowance) {
    return "\"requests\";r=" + allowance.remaining() + ";t=" + allowance.resetSeconds();
  }
}
