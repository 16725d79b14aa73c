package io.errand.cli;

import io.errand.text.FaultText;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import sun.misc.Signal;

/**
 * The terminal as a screen that is drawn on: the alternate screen of xterm, and keys without echo.
 * However the process ends, except by SIGKILL, the terminal is as it was before. The modes are set
 * by stty(1): a library for terminals takes longer to load than the client to start.
 */
final class Screen implements AutoCloseable {
  private static final String ENTER = "\033[?1049h\033[?25l\033[H\033[2J";
  private static final String LEAVE = "\033[?25h\033[?1049l";
  private static final int STTY_SECONDS = 5;
  private static final int MOST_KEY_BYTES = 64;
  private static final int QUICK_MILLIS = 20;
  private static final int MOST_QUICK_ENDS = 50;

  private final FileInputStream keys = new FileInputStream(FileDescriptor.in);
  private final Thread hook = new Thread(this::restore, "errand-screen");
  private final String modes;
  private boolean isOpen = true;
  private volatile boolean hasNewSize = true;
  private int lines = Terminal.lines();
  private int columns = Terminal.columns();
  private int quickEnds;

  private Screen(String modes) {
    this.modes = modes;
  }

  /**
   * Takes the terminal.
   *
   * @throws ClientException if standard input is none
   */
  static Screen open() {
    Screen screen = new Screen(stty("-g").strip());
    Runtime.getRuntime().addShutdownHook(screen.hook);
    // A read of the keyboard ends after a tenth of a second; Ctrl-C stays a signal, and the keys
    // that suspend a process or print its threads do not.
    stty("-icanon", "-echo", "min", "0", "time", "1", "susp", "undef", "quit", "undef");
    Signal.handle(new Signal("WINCH"), signal -> screen.hasNewSize = true);
    screen.write(ENTER);
    return screen;
  }

  private static String stty(String... arguments) {
    List<String> command = new ArrayList<>(List.of("stty"));
    command.addAll(List.of(arguments));
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String text =
          new String(process.getInputStream().readNBytes(4096), StandardCharsets.US_ASCII);
      if (!process.waitFor(STTY_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new ClientException(ExitCodes.FAILED, "stty cannot set the terminal");
      }
      return text;
    } catch (IOException e) {
      throw new ClientException(ExitCodes.FAILED, "the terminal cannot be set: " + FaultText.of(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException(ExitCodes.FAILED, "interrupted");
    }
  }

  private void measure() {
    if (hasNewSize) {
      hasNewSize = false;
      String[] size = stty("size").strip().split(" ");
      if (size.length == 2
          && size[0].matches("[1-9][0-9]{0,3}")
          && size[1].matches("[1-9][0-9]{0,3}")) {
        lines = Integer.parseInt(size[0]);
        columns = Integer.parseInt(size[1]);
      }
    }
  }

  int lines() {
    measure();
    return lines;
  }

  int columns() {
    measure();
    return columns;
  }

  boolean isResized() {
    return hasNewSize;
  }

  /** Shows lines from the top; the caller has cut them to the size. */
  void draw(List<String> text) {
    StringBuilder all = new StringBuilder("\033[H");
    for (int i = 0; i < text.size(); i++) {
      all.append(text.get(i)).append("\033[0m\033[K").append(i < text.size() - 1 ? "\r\n" : "");
    }
    write(all.append("\033[J").toString());
  }

  private synchronized void write(String text) {
    if (isOpen) {
      System.out.print(text);
      System.out.flush();
    }
  }

  /**
   * The keys that were typed in the last tenth of a second: none if nothing was; one that is more
   * than a character is a sequence that begins with escape.
   *
   * @throws ClientException if the terminal is gone
   */
  List<String> read() {
    byte[] bytes = new byte[MOST_KEY_BYTES];
    long begin = System.nanoTime();
    try {
      int count = keys.read(bytes);
      if (count > 0) {
        quickEnds = 0;
        return keys(new String(bytes, 0, count, StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw gone();
    }
    boolean isQuick = System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(QUICK_MILLIS);
    quickEnds = isQuick ? quickEnds + 1 : 0;
    if (quickEnds > MOST_QUICK_ENDS) {
      throw gone();
    }
    return List.of();
  }

  /** Keys that were typed faster than they were read come together. */
  static List<String> keys(String typed) {
    List<String> keys = new ArrayList<>();
    int i = 0;
    while (i < typed.length()) {
      int end = i + 1;
      char next = end < typed.length() ? typed.charAt(end) : 0;
      if (typed.charAt(i) == '\033' && (next == '[' || next == 'O')) {
        end++;
        while (end < typed.length() && (typed.charAt(end) < '@' || typed.charAt(end) > '~')) {
          end++; // parameters
        }
        end = Math.min(typed.length(), end + 1);
      }
      keys.add(typed.substring(i, end));
      i = end;
    }
    return keys;
  }

  private static ClientException gone() {
    return new ClientException(ExitCodes.FAILED, "the terminal has ended");
  }

  private synchronized void restore() {
    if (isOpen) {
      write(LEAVE);
      isOpen = false;
      stty(modes);
    }
  }

  @Override
  public void close() {
    try {
      restore();
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // the end has begun already, and restores it
    }
  }
}
