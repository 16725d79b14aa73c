package io.errand.settings;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Objects;
import java.util.Set;

/**
 * The text of a file that says how a server runs: nobody else may have written it.
 *
 * @param text all of it
 * @param isReadByAll whether every account of the host may read it
 */
record ConfigFile(String text, boolean isReadByAll) {
  private static final Integer ROOT = 0;
  private static final int MOST_BYTES = 1 << 20;

  /** A file may not be used; the message names it and says what to do. */
  @SuppressWarnings("serial") // never serialised
  static final class UnusableException extends Exception {
    UnusableException(String message) {
      super(message);
    }
  }

  /**
   * Reads at most 1 MiB of a regular file. Links are followed, as Kubernetes makes them.
   *
   * @throws UnusableException if the file cannot be used
   */
  static ConfigFile read(Path file) throws UnusableException {
    try {
      Path real = file.toRealPath();
      if (!Files.isRegularFile(real)) { // a pipe would make the start wait
        throw new UnusableException(file + " is no regular file");
      }
      PosixFileAttributes attributes = Files.readAttributes(real, PosixFileAttributes.class);
      Object uid = Files.getAttribute(real, "unix:uid");
      Object own = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      if (!Objects.equals(uid, ROOT) && !Objects.equals(uid, own)) {
        throw new UnusableException(
            file
                + " belongs to another account, which may change it; chown it to yours or to root");
      }
      Set<PosixFilePermission> permissions = attributes.permissions();
      if (permissions.contains(PosixFilePermission.OTHERS_WRITE)
          || permissions.contains(PosixFilePermission.GROUP_WRITE)) {
        throw new UnusableException(file + " can be written by other accounts; chmod go-w it");
      }
      return new ConfigFile(
          text(file, real), permissions.contains(PosixFilePermission.OTHERS_READ));
    } catch (NoSuchFileException e) {
      throw new UnusableException(file + " does not exist; set ERRAND_CONFIG to a file that does");
    } catch (IOException e) {
      throw new UnusableException(file + " cannot be read");
    }
  }

  private static String text(Path file, Path real) throws IOException, UnusableException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(real)) {
      bytes = in.readNBytes(MOST_BYTES + 1);
    }
    if (bytes.length > MOST_BYTES) {
      throw new UnusableException(file + " is larger than 1 MiB");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new UnusableException(file + " is not UTF-8");
    }
  }
}
