package io.errand.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.errand.job.Seal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncryptionKeysTest {
  private static final UUID ID = UUID.fromString("0199b2c4-0000-7000-8000-000000000001");
  private static final String FIRST = key((byte) 1);
  private static final String SECOND = key((byte) 2);

  @TempDir private Path folder;

  private static String key(byte fill) {
    byte[] key = new byte[32];
    java.util.Arrays.fill(key, fill);
    return Base64.getEncoder().encodeToString(key);
  }

  private EncryptionKeys keys(String... lines) throws IOException {
    Path file = Files.writeString(folder.resolve("keys"), String.join("\n", lines));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return EncryptionKeys.read(file);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void aValueIsReadWhereItBelongsAndNowhereElse() throws IOException, Unreadable {
    EncryptionKeys keys = keys("# the keys", "k1 " + FIRST);
    String sealed = keys.encrypt(ID, "stdin", "grün");
    assertThat(text(keys.decrypt("k1", ID, "stdin", sealed))).isEqualTo("grün");
    assertThat(sealed).isNotEqualTo(keys.encrypt(ID, "stdin", "grün"));
    assertThat(Seal.clearBytes(sealed.length())).isEqualTo(5);
    assertThatThrownBy(() -> keys.decrypt("k1", ID, "env.A", sealed))
        .isInstanceOf(Unreadable.class)
        .hasMessageContaining("copied from elsewhere");
    assertThatThrownBy(() -> keys.decrypt("k1", UUID.randomUUID(), "stdin", sealed))
        .isInstanceOf(Unreadable.class);
    for (String broken : new String[] {"", "AAAA", "no base64!", "A".repeat(60)}) {
      assertThatThrownBy(() -> keys.decrypt("k1", ID, "stdin", broken))
          .isInstanceOf(Unreadable.class);
    }
  }

  @Test
  void theSizeInClearIsThatOfTheEncryptedValue() throws IOException {
    EncryptionKeys keys = keys("k1 " + FIRST);
    for (int size = 0; size < 40; size++) {
      assertThat(Seal.clearBytes(keys.encrypt(ID, "stdin", "x".repeat(size)).length()))
          .isEqualTo(size);
    }
  }

  @Test
  void theFirstKeyEncryptsAndAllDecrypt() throws IOException, Unreadable {
    String old = keys("k1 " + FIRST).encrypt(ID, "stdin", "kept");
    EncryptionKeys rotated = keys("k2 " + SECOND, "k1 " + FIRST);
    assertThat(rotated.current()).isEqualTo("k2");
    assertThat(text(rotated.decrypt("k1", ID, "stdin", old))).isEqualTo("kept");
    EncryptionKeys without = keys("k2 " + SECOND);
    assertThatThrownBy(() -> without.decrypt("k1", ID, "stdin", old))
        .isInstanceOf(Unreadable.class)
        .hasMessageContaining("the key k1, which is not in the ERRAND_ENCRYPTION_KEY_FILE");
  }

  @Test
  void aFileThatCannotBeUsedIsRefusedWithASentenceThatHoldsNoKey() throws IOException {
    assertThatThrownBy(() -> keys("k1 " + FIRST.substring(4)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("line 1")
        .hasMessageNotContaining(FIRST.substring(4));
    assertThatThrownBy(() -> keys("k1 " + FIRST, "k1 " + SECOND)).hasMessageContaining("two keys");
    assertThatThrownBy(() -> keys("")).hasMessageContaining("has no key");
    Path open = Files.writeString(folder.resolve("open"), "k1 " + FIRST);
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> EncryptionKeys.read(open)).hasMessageContaining("chmod it");
    assertThatThrownBy(() -> EncryptionKeys.read(folder.resolve("none")))
        .hasMessageContaining("cannot be read");
  }
}
