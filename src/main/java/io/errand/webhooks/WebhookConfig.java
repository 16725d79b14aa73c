package io.errand.webhooks;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Settings of webhooks. */
@ConfigMapping(prefix = "errand")
public interface WebhookConfig {
  /** What this process does; webhooks are delivered by processes that are workers. */
  @WithDefault("api,worker")
  List<String> roles();

  /** The directory of files with secrets, one in each. */
  Optional<String> secretsDir();

  /** Networks that webhooks may be sent to although they are not public: a comma list of CIDRs. */
  Optional<String> webhookAllowNetworks();

  /** The version of Errand. */
  @WithDefault("dev")
  String version();

  /** Whether webhooks are delivered here. */
  default boolean delivers() {
    return roles().stream().anyMatch(role -> role.strip().equals("worker"));
  }

  /** Which addresses may be sent to. */
  default AddressRules addressRules() {
    return AddressRules.allowing(webhookAllowNetworks().orElse(""));
  }

  /**
   * Refuses settings that make no sense.
   *
   * @throws IllegalArgumentException with a sentence that says what to do
   */
  default void check() {
    addressRules();
    secretsDir()
        .ifPresent(
            directory -> {
              if (!Files.isDirectory(Path.of(directory))) {
                throw new IllegalArgumentException(
                    "ERRAND_SECRETS_DIR is '"
                        + directory
                        + "', which is no directory; set it to the directory of the secrets");
              }
            });
  }
}
