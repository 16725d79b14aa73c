package io.errand.api.jobs;

import io.errand.store.reads.KeptOutput;
import io.errand.store.reads.OutputReads;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Kept bytes as text: invalid UTF-8 replaced, no character cut in two, the gap marked. */
public final class OutputText {
  private OutputText() {}

  public static String of(KeptOutput output) {
    byte[] kept = output.kept();
    if (output.droppedBytes() == 0) {
      return new String(kept, StandardCharsets.UTF_8);
    }
    int head = output.headBytes();
    byte[] seam =
        Arrays.copyOfRange(
            kept,
            Math.max(0, head - OutputReads.SEAM_BYTES),
            Math.min(kept.length, head + OutputReads.SEAM_BYTES));
    int headEnd = headEnd(head, seam);
    int tailStart = tailStart(head, seam);
    return new String(kept, 0, headEnd, StandardCharsets.UTF_8)
        + gap(output.droppedBytes() + tailStart - headEnd)
        + new String(kept, tailStart, kept.length - tailStart, StandardCharsets.UTF_8);
  }

  /** What stands between head and tail. */
  static String gap(long bytes) {
    return "\n[... " + bytes + " bytes dropped ...]\n";
  }

  /**
   * Where the head ends, without the beginning of a character.
   *
   * @param head how many bytes it has
   * @param seam its last bytes, then the first of the tail: {@link OutputReads#SEAM_BYTES} of each,
   *     where there are so many
   */
  static int headEnd(int head, byte[] seam) {
    int before = Math.min(head, OutputReads.SEAM_BYTES);
    return head - before + withoutCutCharacter(seam, before);
  }

  /** Where the tail begins, without the end of a character; the same parameters. */
  static int tailStart(int head, byte[] seam) {
    int before = Math.min(head, OutputReads.SEAM_BYTES);
    int at = before;
    while (at < seam.length && isContinuation(seam[at])) {
      at++;
    }
    return head + at - before;
  }

  /** The end of the last whole character that ends at or before the given place. */
  public static int withoutCutCharacter(byte[] bytes, int end) {
    for (int back = 1; back <= 3 && back <= end; back++) {
      byte lead = bytes[end - back];
      if (!isContinuation(lead)) {
        int length =
            (lead & 0xe0) == 0xc0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : (lead & 0xf8) == 0xf0 ? 4 : 1;
        return length > back ? end - back : end;
      }
    }
    return end;
  }

  private static boolean isContinuation(byte b) {
    return (b & 0xc0) == 0x80;
  }
}
