package io.errand.secrets;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts values for the database: AES-256-GCM with a random nonce of 96 bits for each value. A
 * value is bound to an id and to the name of its field, so that it cannot be read in another place.
 * The first key encrypts, all of them decrypt. Safe from any thread.
 */
public final class EncryptionKeys {
  /** Those of a server that encrypts nothing. */
  public static final EncryptionKeys NONE = new EncryptionKeys(Map.of());

  private static final int KEY_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final int MOST_FILE_BYTES = 65_536;
  private static final Pattern LINE =
      Pattern.compile("([A-Za-z0-9._-]{1,32})[ \t]+([A-Za-z0-9+/]{43}=)");
  private static final Base64.Encoder TO_TEXT = Base64.getEncoder().withoutPadding();

  private final Map<String, SecretKey> keys; // by id, the one that encrypts first
  private final @Nullable String first;
  private final SecureRandom random = new SecureRandom();

  private EncryptionKeys(Map<String, SecretKey> keys) {
    this.keys = keys;
    this.first = keys.isEmpty() ? null : keys.keySet().iterator().next();
  }

  /**
   * The keys of a file. Each line is the id of a key and its 32 bytes in Base64; empty lines and
   * those that begin with {@code #} say nothing.
   *
   * @throws IllegalArgumentException with a sentence that says what to do and holds no key
   */
  public static EncryptionKeys read(Path file) {
    String where = "ERRAND_ENCRYPTION_KEY_FILE is '" + file + "', ";
    byte[] bytes;
    try {
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        throw new IllegalArgumentException(
            where + "which every account may read, commands too; chmod it to 600 or 640");
      }
      if (Files.size(file) > MOST_FILE_BYTES) {
        throw new IllegalArgumentException(
            where + "which has more than 64 KiB; set it to a file of keys");
      }
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          where + "which cannot be read; set it to a file of keys that the server can read");
    }
    Map<String, SecretKey> keys = new LinkedHashMap<>();
    int number = 0;
    for (String line : new String(bytes, StandardCharsets.ISO_8859_1).split("\\R")) {
      number++;
      if (!line.isBlank() && !line.startsWith("#")) {
        var parts = LINE.matcher(line.strip());
        if (!parts.matches()) {
          throw new IllegalArgumentException(
              where
                  + "whose line "
                  + number
                  + " is not `ID KEY`; KEY is 32 bytes in Base64, as `openssl rand -base64 32` prints"
                  + " them");
        }
        byte[] key = Base64.getDecoder().decode(parts.group(2));
        if (keys.put(parts.group(1), new SecretKeySpec(key, 0, KEY_BYTES, "AES")) != null) {
          throw new IllegalArgumentException(
              where + "which has two keys with the id " + parts.group(1) + "; give each its own");
        }
        Arrays.fill(key, (byte) 0);
      }
    }
    Arrays.fill(bytes, (byte) 0);
    if (keys.isEmpty()) {
      throw new IllegalArgumentException(where + "which has no key; add a line `ID KEY`");
    }
    return new EncryptionKeys(keys);
  }

  /** The id of the key that encrypts, or null where nothing is encrypted. */
  public @Nullable String current() {
    return first;
  }

  /**
   * Encrypts a value with the current key.
   *
   * @param boundTo what it belongs to
   * @param field of that
   * @return Base64 without padding
   * @throws IllegalStateException if there is no key
   */
  public String encrypt(UUID boundTo, String field, String clear) {
    SecretKey key = first == null ? null : keys.get(first);
    if (key == null) {
      throw new IllegalStateException("There is no key to encrypt with");
    }
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] text = clear.getBytes(StandardCharsets.UTF_8);
    try {
      Cipher cipher = cipher(Cipher.ENCRYPT_MODE, key, nonce, boundTo, field);
      byte[] whole = Arrays.copyOf(nonce, NONCE_BYTES + cipher.getOutputSize(text.length));
      cipher.doFinal(text, 0, text.length, whole, NONCE_BYTES);
      return TO_TEXT.encodeToString(whole);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java has no AES-GCM", e);
    } finally {
      Arrays.fill(text, (byte) 0);
    }
  }

  /**
   * Decrypts a value.
   *
   * @param id of the key
   * @param boundTo what it belongs to
   * @param field of that
   * @param encrypted what {@link #encrypt} has made of it
   * @return in UTF-8
   * @throws Unreadable if there is no such key, or the value was made with another one or for
   *     another place
   */
  public byte[] decrypt(String id, UUID boundTo, String field, String encrypted) throws Unreadable {
    SecretKey key = keys.get(id);
    if (key == null) {
      throw new Unreadable(
          "It is encrypted with the key "
              + id
              + ", which is not in the ERRAND_ENCRYPTION_KEY_FILE of this server");
    }
    try {
      byte[] whole = Base64.getDecoder().decode(encrypted);
      if (whole.length < NONCE_BYTES) {
        throw new IllegalArgumentException("Too short");
      }
      byte[] nonce = Arrays.copyOf(whole, NONCE_BYTES);
      return cipher(Cipher.DECRYPT_MODE, key, nonce, boundTo, field)
          .doFinal(whole, NONCE_BYTES, whole.length - NONCE_BYTES);
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new Unreadable(
          "It cannot be decrypted with the key "
              + id
              + ": the key is another one, or the value was changed or copied from elsewhere");
    }
  }

  private static Cipher cipher(int mode, SecretKey key, byte[] nonce, UUID boundTo, String field)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD((boundTo + " " + field).getBytes(StandardCharsets.UTF_8));
    return cipher;
  }
}
