package io.errand;

import io.errand.auth.oidc.OidcConfig;
import io.errand.embedded.EmbeddedPostgres;
import io.errand.exec.Accounts;
import io.errand.memory.MemoryBudget;
import io.errand.ops.RetentionConfig;
import io.errand.secrets.SecretsConfig;
import io.errand.settings.AllSettings;
import io.errand.settings.Setting;
import io.errand.settings.Settings;
import io.errand.text.FaultText;
import io.errand.traces.Traces;
import io.errand.vault.Vault;
import io.errand.webhooks.WebhookConfig;
import io.errand.worker.CommandMemory;
import io.errand.worker.WorkerConfig;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What the start refuses without a look at the database, at the port, and at whether another server
 * has the data directory. Nothing is made or changed.
 */
public final class SettingsCheck {
  private static final int LEAST_TOKEN = 16;

  private final List<String> warnings = new ArrayList<>();
  private final List<String> mistakes = new ArrayList<>();

  SettingsCheck() {}

  /** What the start would warn of. */
  List<String> warnings() {
    return warnings;
  }

  /** What it would refuse, each in a sentence. */
  List<String> mistakes() {
    return mistakes;
  }

  /** Checks everything, whatever is found. */
  void run(Settings settings, Path home) {
    SmallRyeConfig config = config(settings, home);
    WorkerConfig worker = config.getConfigMapping(WorkerConfig.class);
    look(worker::check);
    look(() -> config.getConfigMapping(RetentionConfig.class).check());
    look(() -> config.getConfigMapping(WebhookConfig.class).check());
    look(() -> config.getConfigMapping(SecretsConfig.class).keys());
    look(() -> config.getConfigMapping(OidcConfig.class).check());
    look(Traces::check);
    look(() -> Transport.checkAddress(settings));
    look(() -> Transport.check(settings));
    look(() -> OwnDirectory.checkHome(home));
    look(() -> checkToken(settings, home));
    look(() -> Vault.of(settings::get));
    if (settings.get("database-url") == null) {
      look(() -> EmbeddedPostgres.check(home));
    }
    look(
        () -> {
          if (worker.isWorker()) {
            checkWorker(settings, home, worker);
          }
        });
  }

  private interface Look {
    void look() throws IOException;
  }

  private void look(Look look) {
    try {
      look.look();
    } catch (IOException | IllegalStateException | IllegalArgumentException e) {
      String mistake = FaultText.of(e);
      if (!mistakes.contains(mistake)) {
        mistakes.add(mistake);
      }
    }
  }

  private void checkWorker(Settings settings, Path home, WorkerConfig worker) {
    look(() -> checkMemory(new MemoryBudget(), worker.workerSlots()));
    look(
        () -> {
          Accounts accounts = Accounts.choose(settings.get("run-as"), home);
          if (accounts.isTheServers()) {
            warnings.add(accounts.description());
          }
        });
    String temporary = settings.get("temporary-directory");
    if (temporary != null) {
      look(() -> OwnDirectory.checkTemporary(Path.of(temporary).toAbsolutePath()));
    }
  }

  private static SmallRyeConfig config(Settings settings, Path home) {
    Map<String, String> values = new HashMap<>();
    for (Setting setting : AllSettings.LIST) {
      String value = settings.get(setting.name());
      if (value != null && !setting.isSecret()) {
        values.put(setting.property(), Settings.escaped(value));
      }
    }
    values.put("errand.home", Settings.escaped(home.toString()));
    return new SmallRyeConfigBuilder()
        .addDefaultInterceptors()
        .withMapping(WorkerConfig.class)
        .withMapping(RetentionConfig.class)
        .withMapping(WebhookConfig.class)
        .withMapping(SecretsConfig.class)
        .withMapping(OidcConfig.class)
        .withValidateUnknown(false)
        .withSources(new PropertiesConfigSource(values, "settings", 100))
        .build();
  }

  /**
   * Whether the heap has memory for the commands that are asked for.
   *
   * @param slots what {@code ERRAND_WORKER_SLOTS} says
   * @throws IllegalArgumentException with a sentence, if it has not
   */
  public static void checkMemory(MemoryBudget budget, OptionalInt slots) {
    CommandMemory.slots(budget, slots, 1);
  }

  private static void checkToken(Settings settings, Path home) throws IOException {
    Path file = home.resolve("token");
    if (settings.get("token") == null
        && Files.isReadable(file)
        && Files.readString(file).trim().length() < LEAST_TOKEN) {
      throw new IllegalStateException(
          "The admin token in "
              + file
              + " has fewer than 16 characters; set ERRAND_TOKEN to a longer one");
    }
  }
}
