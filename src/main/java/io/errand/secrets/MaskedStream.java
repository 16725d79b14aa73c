package io.errand.secrets;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One stream in which secrets are replaced by as many asterisks, so that each byte keeps its place.
 * Bytes that may be the beginning of a secret are held back until it is known whether they are: at
 * most as many as the longest form has, with the line ends in it, and three times as many as the
 * longest secret that may be percent-encoded. For one thread at a time.
 */
public final class MaskedStream {
  private static final byte MASK = '*';

  /** So many line ends may follow one another inside of a secret: CR and LF. */
  private static final int MOST_BREAKS = 2;

  /**
   * Fewer digits at the end of a line are not held back: many lines end so, and their readers would
   * wait for the next line. They are not masked then.
   */
  private static final int LEAST_HELD_AT_BREAK = 4;

  private static final int[] NONE = {};

  private final SecretPatterns patterns;
  private final @Nullable SecretPatterns wrapped;
  private final @Nullable PercentDecoded decoded;
  private int node;
  private int wrappedNode;
  private int breaks;
  private int released; // how many of the first places are not masked any more
  private byte[] held = new byte[0];
  private int[] heldPlaces = NONE; // of those of the bytes held that are no line ends

  MaskedStream(SecretPatterns patterns) {
    this.patterns = patterns;
    this.wrapped = patterns.wrapped();
    SecretPatterns ofUrls = patterns.decoded();
    this.decoded = ofUrls == null ? null : new PercentDecoded(ofUrls);
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
    int[] found = NONE; // how long a secret is that ends here
    for (int i = before; i < all.length; i++) {
      node = patterns.next(node, all[i]);
      int length = patterns.found(node);
      if (length > 0) {
        found = found.length == 0 ? new int[all.length] : found;
        found[i] = length;
      }
    }
    if (decoded != null) {
      decoded.read(all, before); // before anything is masked in it
    }
    int settled = all.length - patterns.depth(node);
    if (wrapped != null) {
      settled = Math.min(settled, maskWrapped(wrapped, all, before));
    }
    int left = 0;
    for (int i = found.length - 1; i >= 0; i--) {
      left = Math.max(left - 1, found[i]);
      if (left > 0) {
        all[i] = MASK;
      }
    }
    if (decoded != null) {
      settled = Math.min(settled, decoded.mask(all));
      decoded.forget(settled);
    }
    held = Arrays.copyOfRange(all, settled, all.length);
    forgetPlaces(settled);
    return settled == all.length ? all : Arrays.copyOf(all, settled);
  }

  /**
   * Masks what is found when line ends are left out.
   *
   * @return how many bytes are settled
   */
  private int maskWrapped(SecretPatterns lines, byte[] all, int before) {
    int count = heldPlaces.length;
    int[] places = Arrays.copyOf(heldPlaces, count + all.length - before);
    int[] found = NONE;
    for (int i = before; i < all.length; i++) {
      if (all[i] == '\n' || all[i] == '\r') {
        wrappedNode = ++breaks > MOST_BREAKS ? 0 : wrappedNode;
        released = lines.depth(wrappedNode) < LEAST_HELD_AT_BREAK ? count : released;
        continue;
      }
      breaks = 0;
      places[count++] = i;
      wrappedNode = lines.next(wrappedNode, all[i]);
      int length = lines.found(wrappedNode);
      if (length > 0) {
        found = found.length == 0 ? new int[places.length] : found;
        found[count - 1] = Math.min(length, count - released);
      }
    }
    int left = 0;
    for (int i = found.length == 0 ? -1 : count - 1; i >= 0; i--) {
      left = Math.max(left - 1, found[i]);
      if (left > 0) {
        all[places[i]] = MASK;
      }
    }
    heldPlaces = Arrays.copyOf(places, count);
    int first = Math.max(released, count - lines.depth(wrappedNode));
    return first == count ? all.length : places[first];
  }

  /** Keeps the places of the bytes that are held, counted from the first of them. */
  private void forgetPlaces(int settled) {
    int first = 0;
    while (first < heldPlaces.length && heldPlaces[first] < settled) {
      first++;
    }
    heldPlaces = Arrays.copyOfRange(heldPlaces, first, heldPlaces.length);
    for (int i = 0; i < heldPlaces.length; i++) {
      heldPlaces[i] -= settled;
    }
    released = Math.max(0, released - first);
  }

  /** The end of the stream: what was held back. */
  public byte[] rest() {
    byte[] rest = held;
    if (decoded != null) {
      decoded.finish(rest);
    }
    held = new byte[0];
    heldPlaces = NONE;
    node = 0;
    wrappedNode = 0;
    breaks = 0;
    released = 0;
    return rest;
  }
}
