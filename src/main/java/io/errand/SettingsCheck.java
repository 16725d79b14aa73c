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
import io.errand.traces.Traces;
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

  private SettingsCheck() {}

  /**
   * Checks.
   *
   * @return what the start would warn of
   * @throws IllegalStateException with a sentence, if the start would refuse a setting
   * @throws IllegalArgumentException the same
   * @throws IOException the same
   */
  static List<String> run(Settings settings, Path home) throws IOException {
    List<String> warnings = new ArrayList<>();
    SmallRyeConfig config = config(settings, home);
    WorkerConfig worker = config.getConfigMapping(WorkerConfig.class);
    worker.check();
    config.getConfigMapping(RetentionConfig.class).check();
    config.getConfigMapping(WebhookConfig.class).check();
    config.getConfigMapping(SecretsConfig.class).keys();
    config.getConfigMapping(OidcConfig.class).check();
    Traces.check();
    Transport.checkAddress(settings);
    Transport.check(settings);
    OwnDirectory.checkHome(home);
    checkToken(settings, home);
    if (settings.get("database-url") == null) {
      EmbeddedPostgres.check(home);
    }
    if (worker.isWorker()) {
      checkMemory(new MemoryBudget(), worker.workerSlots());
      Accounts accounts = Accounts.choose(settings.get("run-as"), home);
      if (accounts.isTheServers()) {
        warnings.add(accounts.description());
      }
      String temporary = settings.get("temporary-directory");
      if (temporary != null) {
        OwnDirectory.checkTemporary(Path.of(temporary).toAbsolutePath());
      }
    }
    return warnings;
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
