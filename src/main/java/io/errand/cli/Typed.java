package io.errand.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What was typed, as bytes. Java replaces what is no UTF-8 in an argument or a variable, and a
 * command must arrive as it was typed or not at all.
 */
final class Typed {
  private static final int MOST_TYPED = 80;

  private Typed() {}

  /**
   * Refuses arguments and variables of ours that are not UTF-8.
   *
   * @param count how many arguments there are
   * @throws ClientException that names the argument by its number, counted from 1
   */
  static void check(int count) {
    List<byte[]> line = parts(Path.of("/proc/self/cmdline"));
    int first = line.size() - count;
    for (int i = 0; first >= 0 && i < count; i++) {
      if (!isUtf8(line.get(first + i))) {
        throw new ClientException(
            ExitCodes.USAGE,
            "argument "
                + (i + 1)
                + " is not UTF-8; nothing was done, since it would arrive as other bytes");
      }
    }
    for (byte[] variable : parts(Path.of("/proc/self/environ"))) {
      String text = new String(variable, StandardCharsets.ISO_8859_1);
      if ((text.startsWith("ERRAND_") || text.startsWith("HOME=")) && !isUtf8(variable)) {
        throw new ClientException(
            ExitCodes.USAGE,
            "the value of " + text.substring(0, Math.max(0, text.indexOf('='))) + " is not UTF-8");
      }
    }
  }

  /**
   * The text of bytes.
   *
   * @throws ClientException if they are not UTF-8
   */
  static String text(byte[] bytes, String name) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new ClientException(
          ExitCodes.USAGE,
          name + " is not UTF-8, and a job's stdin is text; nothing was submitted");
    }
  }

  /** A line of standard input, empty at its end; not more than a person types. */
  static String line() {
    StringBuilder line = new StringBuilder();
    try {
      for (int b = System.in.read(); b >= 0 && b != '\n'; b = System.in.read()) {
        if (line.length() < MOST_TYPED) {
          line.append((char) b);
        }
      }
    } catch (IOException e) {
      return "";
    }
    return line.toString();
  }

  private static boolean isUtf8(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static List<byte[]> parts(Path file) {
    List<byte[]> parts = new ArrayList<>();
    ByteArrayOutputStream part = new ByteArrayOutputStream();
    try {
      for (byte b : Files.readAllBytes(file)) {
        if (b == 0) {
          parts.add(part.toByteArray());
          part.reset();
        } else {
          part.write(b);
        }
      }
    } catch (IOException e) {
      return List.of(); // no /proc: then Java's own reading has to do
    }
    return parts;
  }
}
