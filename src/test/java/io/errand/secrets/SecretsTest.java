package io.errand.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.credentials.CredentialsProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretsTest {
  private static final Map<String, String> VARIABLES =
      Map.of("ERRAND_SECRET_DB_PASSWORD", "of the variable", "HOME", "no secret");

  @TempDir private Path folder;

  private Secrets secrets(@Nullable UnaryOperator<Map<String, String>> answer) {
    CredentialsProvider provider =
        answer == null
            ? null
            : new CredentialsProvider() {
              @Override
              public Map<String, String> getCredentials(String name) {
                return answer.apply(Map.of("name", name));
              }
            };
    return new Secrets(new SecretFiles(folder), VARIABLES::get, provider, EncryptionKeys.NONE);
  }

  @Test
  void aFileComesBeforeAVariableAndThatBeforeTheProvider() throws IOException, Unreadable {
    Secrets secrets = secrets(name -> Map.of("user", "u", "password", "of the provider"));
    assertThat(secrets.read("secret://other")).isEqualTo("of the provider");
    assertThat(secrets.read("secret://db-password")).isEqualTo("of the variable");
    assertThat(secrets.read("secret://db.password")).isEqualTo("of the variable");
    Files.writeString(folder.resolve("db-password"), "of the file\n");
    assertThat(secrets.read("secret://db-password")).isEqualTo("of the file");
  }

  @Test
  void noOtherVariableCanBeRead() {
    assertThatThrownBy(() -> secrets(null).read("secret://HOME"))
        .isInstanceOf(Unreadable.class)
        .hasMessage("There is no secret HOME on this worker");
    assertThatThrownBy(() -> secrets(null).read("secret://../HOME")).isInstanceOf(Unreadable.class);
    assertThatThrownBy(() -> secrets(null).read("HOME")).isInstanceOf(Unreadable.class);
  }

  @Test
  void whatTheProviderSaysOfAFaultIsNotPassedOn() throws Unreadable {
    Secrets failing =
        secrets(
            name -> {
              throw new IllegalStateException("token hvs.something was refused");
            });
    assertThatThrownBy(() -> failing.read("secret://a"))
        .isInstanceOf(Unreadable.class)
        .hasMessageContaining("cannot give the secret a")
        .hasMessageNotContaining("hvs");
    assertThat(secrets(name -> Map.of("token", "its only value")).read("secret://a"))
        .isEqualTo("its only value");
    assertThatThrownBy(() -> secrets(name -> Map.of("a", "1", "b", "2")).read("secret://a"))
        .hasMessageContaining("several");
    assertThatThrownBy(() -> secrets(name -> Map.of()).read("secret://a"))
        .hasMessageContaining("no secret a");
  }
}
