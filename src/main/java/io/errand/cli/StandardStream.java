package io.errand.cli;

import io.errand.text.FaultText;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Standard output and standard error that do not hide a failed write, as those of Java do: the
 * caller that writes or flushes gets a {@link ClientException}, so that what is printed is complete
 * or the exit status says that it is not.
 */
final class StandardStream extends OutputStream {
  private final String name;
  private final OutputStream target;

  private StandardStream(String name, FileDescriptor descriptor) {
    this.name = name;
    this.target = new BufferedOutputStream(new FileOutputStream(descriptor), 1 << 16);
  }

  /** Puts them in the place of {@code System.out} and {@code System.err}. */
  static void install() {
    System.setOut(
        new PrintStream(
            new StandardStream("standard output", FileDescriptor.out),
            false,
            StandardCharsets.UTF_8));
    System.setErr(
        new PrintStream(
            new StandardStream("standard error", FileDescriptor.err),
            true,
            StandardCharsets.UTF_8));
  }

  /**
   * Writes what is still buffered.
   *
   * @throws ClientException if it cannot be written
   */
  static void flushAll() {
    System.out.flush();
    System.err.flush();
  }

  @Override
  public void write(int b) {
    try {
      target.write(b);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    try {
      target.write(bytes, offset, length);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void flush() {
    try {
      target.flush();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private ClientException failed(IOException fault) {
    boolean readerGone = String.valueOf(fault.getMessage()).contains("Broken pipe"); // EPIPE
    return new ClientException(
        readerGone ? ExitCodes.READER_GONE : ExitCodes.INCOMPLETE,
        name + " cannot be written: " + FaultText.of(fault));
  }
}
