package io.errand.secrets;

import io.smallrye.config.ConfigMapping;
import java.nio.file.Path;
import java.util.Optional;

/** Settings of secrets and of encryption. */
@ConfigMapping(prefix = "errand")
public interface SecretsConfig {
  /** The directory of files with secrets, one in each. */
  Optional<String> secretsDir();

  /** The name of the bean of Quarkus that is asked for secrets, a {@code CredentialsProvider}. */
  Optional<String> secretsProvider();

  /** The file of the keys that {@code env} and {@code stdin} are encrypted with. */
  Optional<String> encryptionKeyFile();

  /** The files of the directory. */
  default SecretFiles files() {
    return new SecretFiles(secretsDir().map(Path::of).orElse(null));
  }

  /**
   * The keys, or those of nobody.
   *
   * @throws IllegalArgumentException with a sentence that says what to do, if the file cannot be
   *     used
   */
  default EncryptionKeys keys() {
    return encryptionKeyFile()
        .map(file -> EncryptionKeys.read(Path.of(file)))
        .orElse(EncryptionKeys.NONE);
  }
}
