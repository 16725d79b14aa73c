package io.errand.secrets;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Secrets that stand in files of a directory, one in each, as Kubernetes and systemd put them
 * there. A file is read anew each time, so that a secret can be changed without a restart.
 *
 * @param directory where they are, or null if there are none
 */
public record SecretFiles(@Nullable Path directory) {
  /** The most bytes that a secret may have. */
  public static final int MOST_BYTES = 65_536;

  private static final String SCHEME = "secret://";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,99}");

  /**
   * The text of a secret, without the line end behind it.
   *
   * @param reference {@code secret://NAME}
   * @throws Unreadable if there is no such secret, or none that can be used
   */
  public String read(String reference) throws Unreadable {
    String name = name(reference);
    if (directory == null) {
      throw new Unreadable(
          "There are no secrets on the server that delivers: ERRAND_SECRETS_DIR is not set");
    }
    String text = find(name);
    if (text == null) {
      throw new Unreadable("There is no secret " + name + " that the server can read");
    }
    return text;
  }

  /**
   * The name in a reference.
   *
   * @throws Unreadable if it is none
   */
  static String name(String reference) throws Unreadable {
    String name = reference.startsWith(SCHEME) ? reference.substring(SCHEME.length()) : "";
    if (!NAME.matcher(name).matches()) {
      throw new Unreadable("The reference to the secret is not secret://NAME");
    }
    return name;
  }

  /**
   * The text of the file of this name, or null if the directory has none.
   *
   * @throws Unreadable if there is one that cannot be used
   */
  @Nullable String find(String name) throws Unreadable {
    if (directory == null) {
      return null;
    }
    byte[] bytes;
    try {
      // A link may lead to a file of the directory, as those of Kubernetes do, and nowhere else.
      Path root = directory.toRealPath();
      Path file = root.resolve(name).toRealPath();
      if (!file.startsWith(root) || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        throw new Unreadable("The secret " + name + " is no file of the directory of secrets");
      }
      try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
        bytes = in.readNBytes(MOST_BYTES + 1);
      }
    } catch (NoSuchFileException e) {
      return null;
    } catch (IOException e) {
      throw new Unreadable("There is no secret " + name + " that the server can read");
    }
    if (bytes.length > MOST_BYTES) {
      throw new Unreadable("The secret " + name + " has more than " + MOST_BYTES + " bytes");
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.endsWith("\r\n")
          ? text.substring(0, text.length() - 2)
          : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    } catch (CharacterCodingException e) {
      throw new Unreadable("The secret " + name + " is not UTF-8");
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }
}
