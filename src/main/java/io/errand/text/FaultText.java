package io.errand.text;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a fault of Java means, in words: no class has a name in a message for people. */
public final class FaultText {
  /** What Java writes before a message that it takes from another fault. */
  private static final Pattern CLASS_NAMES =
      Pattern.compile(
          "\\A(?:\\s*(?:[a-z][a-z0-9_]*\\.)+[A-Z][\\w$]*(?:Exception|Error)(?::|\\s*\\z))+");

  /** Where in its own code PostgreSQL has found a fault, as its driver appends it. */
  private static final Pattern OF_DRIVER =
      Pattern.compile("\\R[ \\t]*(?:Location: File: |Server SQLState: )[^\\r\\n]*");

  private static final Pattern LINE_END = Pattern.compile("\\s*\\R\\s*");

  private FaultText() {}

  /** A clause without a full stop, such as {@code /x: permission denied}. Never empty. */
  public static String of(Throwable fault) {
    if (fault instanceof FileSystemException file) {
      String path = file.getFile() == null ? "" : file.getFile() + ": ";
      return path + reason(file);
    }
    String message = fault.getMessage();
    if (fault instanceof UnknownHostException) {
      return message == null ? "there is no such host" : "there is no host " + message;
    }
    if (fault instanceof InvalidPathException) {
      return "that is not the name of a file";
    }
    String clean = message == null ? "" : clean(message);
    return clean.isEmpty() ? byKind(fault) : clean;
  }

  private static String clean(String message) {
    String text = OF_DRIVER.matcher(message).replaceAll("");
    text = CLASS_NAMES.matcher(text).replaceFirst("").strip();
    return LINE_END.matcher(text).replaceAll("; ");
  }

  private static String reason(FileSystemException fault) {
    if (fault instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (fault instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (fault instanceof FileAlreadyExistsException) {
      return "it exists already";
    }
    if (fault instanceof NotDirectoryException) {
      return "not a directory";
    }
    if (fault instanceof DirectoryNotEmptyException) {
      return "the directory is not empty";
    }
    if (fault instanceof FileSystemLoopException || fault instanceof NotLinkException) {
      return "its links lead nowhere";
    }
    return ofSystem(fault.getReason());
  }

  /** The words of the C library, as they are used in the middle of a sentence. */
  private static String ofSystem(@Nullable String words) {
    if (words == null || words.isBlank()) {
      return "it cannot be used";
    }
    return words.substring(0, 1).toLowerCase(Locale.ROOT) + words.substring(1);
  }

  private static String byKind(Throwable fault) {
    if (fault instanceof SocketTimeoutException) {
      return "no answer in time";
    }
    if (fault instanceof ConnectException || fault instanceof NoRouteToHostException) {
      return "no connection";
    }
    return "an unexpected fault";
  }
}
