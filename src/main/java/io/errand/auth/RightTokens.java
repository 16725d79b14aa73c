package io.errand.auth;

import java.nio.ByteBuffer;
import java.util.Map;

/**
 * Which tokens were right when they were looked up last, which may be long ago: these are to be
 * looked up without regard to how many wrong ones there were. Safe from any thread.
 */
final class RightTokens {
  /** Guarded by itself. */
  private final Map<ByteBuffer, Boolean> right;

  /**
   * None yet.
   *
   * @param most how many are kept, of those that were used last
   */
  RightTokens(int most) {
    right = new RecentTokens<>(most);
  }

  boolean contains(String token) {
    synchronized (right) {
      return right.get(hash(token)) != null;
    }
  }

  void add(String token) {
    synchronized (right) {
      right.put(hash(token), true);
    }
  }

  void remove(String token) {
    synchronized (right) {
      right.remove(hash(token));
    }
  }

  private static ByteBuffer hash(String token) {
    return ByteBuffer.wrap(ApiKey.sha256(token));
  }
}
