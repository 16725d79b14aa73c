package io.errand.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretFilesTest {
  @TempDir Path folder;

  private Path root;
  private SecretFiles secrets;

  @BeforeEach
  void make() throws IOException {
    root = Files.createDirectory(folder.resolve("secrets"));
    Files.writeString(folder.resolve("outside"), "not for you");
    secrets = new SecretFiles(root);
  }

  @Test
  void aSecretIsTheTextOfItsFileWithoutTheLineEnd() throws IOException, Unreadable {
    Files.writeString(root.resolve("a.b-c_1"), " é\nx \n");
    assertThat(secrets.read("secret://a.b-c_1")).isEqualTo(" é\nx ");
    Files.writeString(root.resolve("a.b-c_1"), "changed");
    assertThat(secrets.read("secret://a.b-c_1")).isEqualTo("changed");
  }

  /** As Kubernetes mounts them. */
  @Test
  void aLinkWithinTheDirectoryIsFollowed() throws IOException, Unreadable {
    Path data = Files.createDirectory(root.resolve("..2026"));
    Files.writeString(data.resolve("hook"), "x");
    Files.createSymbolicLink(root.resolve("..data"), Path.of("..2026"));
    Files.createSymbolicLink(root.resolve("hook"), Path.of("..data/hook"));
    assertThat(secrets.read("secret://hook")).isEqualTo("x");
  }

  @Test
  void aLinkOutOfTheDirectoryIsNot() throws IOException {
    Files.createSymbolicLink(root.resolve("out"), folder.resolve("outside"));
    Files.createSymbolicLink(root.resolve("up"), Path.of("../outside"));
    for (String name : new String[] {"out", "up"}) {
      assertThatThrownBy(() -> secrets.read("secret://" + name))
          .isInstanceOf(Unreadable.class)
          .hasMessageContaining("no file of the directory");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hook",
        "secret://",
        "secret://../outside",
        "secret://..",
        "secret://.hidden",
        "secret://a/b",
        "secret://a\0b",
        "secret:///etc/passwd"
      })
  void whatIsNoNameIsRefused(String reference) {
    assertThatThrownBy(() -> secrets.read(reference)).hasMessageContaining("secret://NAME");
  }

  @Test
  void whatCannotBeUsedIsSaidWithoutItsText() throws IOException {
    Files.write(root.resolve("large"), new byte[SecretFiles.MOST_BYTES + 1]);
    Files.write(root.resolve("binary"), new byte[] {(byte) 0xff});
    Files.createDirectory(root.resolve("folder"));
    assertThatThrownBy(() -> secrets.read("secret://large")).hasMessageContaining("65536 bytes");
    assertThatThrownBy(() -> secrets.read("secret://binary")).hasMessageContaining("not UTF-8");
    assertThatThrownBy(() -> secrets.read("secret://folder")).hasMessageContaining("no file");
    assertThatThrownBy(() -> secrets.read("secret://none")).hasMessageContaining("no secret none");
    assertThatThrownBy(() -> new SecretFiles(null).read("secret://x"))
        .hasMessageContaining("ERRAND_SECRETS_DIR is not set");
  }
}
