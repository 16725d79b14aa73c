package io.errand.auth;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** Something of each of the tokens that were used last, by their SHA-256. Not for many threads. */
final class RecentTokens<V> extends LinkedHashMap<ByteBuffer, V> {
  private static final long serialVersionUID = 1;

  private final int most;

  RecentTokens(int most) {
    super(16, 0.75f, true);
    this.most = most;
  }

  @Override
  protected boolean removeEldestEntry(Map.Entry<ByteBuffer, V> eldest) {
    return size() > most;
  }
}
