package io.errand.secrets;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * One stream in which secrets are replaced by as many asterisks, so that each byte keeps its place.
 * Bytes that may be the beginning of a secret are held back until it is known whether they are: at
 * most as many as the longest form has. For one thread at a time.
 */
public final class MaskedStream {
  private static final byte MASK = '*';

  private final SecretPatterns patterns;
  private int node;
  private byte[] held = new byte[0];

  MaskedStream(SecretPatterns patterns) {
    this.patterns = patterns;
  }

  /**
   * Takes all of what remains in the buffer.
   *
   * @return those of the bytes so far that were not returned yet and are settled
   */
  public byte[] take(ByteBuffer bytes) {
    int before = held.length;
    byte[] all = Arrays.copyOf(held, before + bytes.remaining());
    bytes.get(all, before, all.length - before);
    int from = 0; // what was masked last, so that no byte is masked again and again
    int to = 0;
    for (int i = before; i < all.length; i++) {
      node = patterns.next(node, all[i]);
      int found = patterns.found(node);
      if (found > 0) {
        int begin = i + 1 - found;
        if (begin > to) {
          Arrays.fill(all, begin, i + 1, MASK);
          from = begin;
        } else {
          Arrays.fill(all, to, i + 1, MASK);
          if (begin < from) {
            Arrays.fill(all, begin, from, MASK);
            from = begin;
          }
        }
        to = i + 1;
      }
    }
    int settled = all.length - patterns.depth(node);
    held = Arrays.copyOfRange(all, settled, all.length);
    return settled == all.length ? all : Arrays.copyOf(all, settled);
  }

  /** The end of the stream: what was held back. */
  public byte[] rest() {
    byte[] rest = held;
    held = new byte[0];
    node = 0;
    return rest;
  }
}
