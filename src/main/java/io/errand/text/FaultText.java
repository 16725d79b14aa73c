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
import java.util.regex.Matcher;
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

  /** As Java and as the driver of PostgreSQL say that a certificate does not name a host. */
  private static final Pattern OTHER_HOST =
      Pattern.compile(
          "(?:No subject alternative (?:DNS name|names) matching(?: IP address)?|No name matching|"
              + "The hostname) ([^ ]{1,255}) (?:found|could not be verified)");

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
    String ofCertificate = ofCertificate(clean);
    if (!ofCertificate.isEmpty()) {
      return ofCertificate;
    }
    return clean.isEmpty() ? byKind(fault) : clean;
  }

  private static String clean(String message) {
    String text = OF_DRIVER.matcher(message).replaceAll("");
    text = CLASS_NAMES.matcher(text).replaceFirst("").strip();
    return LINE_END.matcher(text).replaceAll("; ");
  }

  /** What a refused certificate means, in words for the many that there are; else empty. */
  private static String ofCertificate(String message) {
    Matcher host = OTHER_HOST.matcher(message);
    if (host.find()) {
      return "the certificate of the server is for another host than " + host.group(1);
    }
    if (message.contains("validity check failed") || message.startsWith("NotAfter:")) {
      return "the certificate of the server is not valid now";
    }
    if (message.contains("PKIX path") || message.contains("unable to find valid certification")) {
      return "the certificate of the server is not by an authority that is trusted here";
    }
    return message.contains("unrecognized SSL message") ? "the server does not speak TLS" : "";
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
