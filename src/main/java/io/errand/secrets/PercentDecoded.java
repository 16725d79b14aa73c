package io.errand.secrets;

import java.util.Arrays;

/**
 * One stream as readers of URLs see it: three characters such as {@code %2F} are one byte, and
 * {@code +} is a blank. So a secret is found whichever of its bytes are encoded. A percent sign
 * that two digits follow is read as the beginning of an encoded byte, and as nothing else. For one
 * thread at a time.
 */
final class PercentDecoded {
  private static final int[] NONE = {};

  private final SecretPatterns patterns;
  private final byte[] open = new byte[2]; // a percent sign, and perhaps a digit
  private int opened; // how many of these there are
  private int node;
  private int[] places = NONE; // where each byte begins, counted from the first that is held
  private int[] found = NONE; // how many bytes a secret has that ends here
  private int count;
  private int end; // where the next byte begins

  PercentDecoded(SecretPatterns patterns) {
    this.patterns = patterns;
  }

  /** How a secret, or a part of a stream, is written in the patterns: blanks as {@code +}. */
  static byte normal(byte one) {
    return one == ' ' ? (byte) '+' : one;
  }

  /** Reads on. Changes nothing in the stream. */
  void read(byte[] all, int from) {
    makeRoom(all.length - from);
    for (int i = from; i < all.length; i++) {
      read(all[i]);
    }
  }

  private void makeRoom(int more) {
    int most = count + opened + more;
    places = Arrays.copyOf(places, most);
    found = new int[most];
  }

  private void read(byte next) {
    if (opened > 0 && Character.digit(next, 16) >= 0) {
      if (opened == 1) {
        open[opened++] = next;
      } else {
        int value = Character.digit(open[1], 16) * 16 + Character.digit(next, 16);
        opened = 0;
        add((byte) value, 3);
      }
      return;
    }
    addOpened();
    if (next == '%') {
      open[opened++] = next;
    } else {
      add(next, 1);
    }
  }

  /** What was no encoded byte is what it is. */
  private void addOpened() {
    int literal = opened;
    opened = 0;
    for (int i = 0; i < literal; i++) {
      add(open[i], 1);
    }
  }

  private void add(byte value, int length) {
    places[count] = end;
    end += length;
    node = patterns.next(node, normal(value));
    found[count++] = patterns.found(node);
  }

  /**
   * Masks what has been found since the last time.
   *
   * @return how many bytes of the stream are settled
   */
  int mask(byte[] all) {
    int left = 0;
    int behind = end;
    for (int i = count - 1; i >= 0; i--) {
      left = Math.max(left - 1, found[i]);
      if (left > 0) {
        Arrays.fill(all, places[i], behind, (byte) '*');
      }
      behind = places[i];
    }
    int first = count - patterns.depth(node);
    return first == count ? end : places[first];
  }

  /** These bytes have been given out. */
  void forget(int settled) {
    int first = 0;
    while (first < count && places[first] < settled) {
      first++;
    }
    places = Arrays.copyOfRange(places, first, count);
    count = places.length;
    for (int i = 0; i < count; i++) {
      places[i] -= settled;
    }
    end -= settled;
  }

  /** The end of the stream: masks what is held of it. */
  void finish(byte[] held) {
    makeRoom(0);
    addOpened();
    mask(held);
    places = NONE;
    found = NONE;
    count = 0;
    node = 0;
    end = 0;
  }
}
