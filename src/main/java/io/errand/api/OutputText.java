package io.errand.api;

import io.errand.store.KeptOutput;
import java.nio.charset.StandardCharsets;

/** Kept bytes as text: invalid UTF-8 replaced, no character cut in two, the gap marked. */
final class OutputText {
  private OutputText() {}

  static String of(KeptOutput output) {
    byte[] kept = output.kept();
    if (output.droppedBytes() == 0) {
      return new String(kept, StandardCharsets.UTF_8);
    }
    int headEnd = withoutCutCharacter(kept, output.headBytes());
    int tailStart = output.headBytes();
    while (tailStart < kept.length
        && tailStart < output.headBytes() + 3
        && isContinuation(kept[tailStart])) {
      tailStart++;
    }
    long gap =
        output.droppedBytes() + (output.headBytes() - headEnd) + (tailStart - output.headBytes());
    return new String(kept, 0, headEnd, StandardCharsets.UTF_8)
        + "\n[... "
        + gap
        + " bytes dropped ...]\n"
        + new String(kept, tailStart, kept.length - tailStart, StandardCharsets.UTF_8);
  }

  /** The end of the last whole character that ends at or before the given place. */
  static int withoutCutCharacter(byte[] bytes, int end) {
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
