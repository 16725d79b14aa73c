package io.errand.secrets;

import io.quarkus.credentials.CredentialsProvider;
import io.quarkus.credentials.runtime.CredentialsProviderFinder;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The operator's secrets, by name: of the file of that name, else of the variable {@code
 * ERRAND_SECRET_NAME}, else of the credentials provider. Nothing is kept: each is read when it is
 * needed. Safe from any thread; a read can take as long as its source does.
 */
@Singleton
public class Secrets {
  /** How the variables of this process begin that hold secrets. */
  public static final String VARIABLES = "ERRAND_SECRET_";

  private static final Duration LONGEST = Duration.ofSeconds(10); // of an answer of the provider
  private static final Logger LOG = Logger.getLogger(Secrets.class);

  private final SecretFiles files;
  private final Function<String, @Nullable String> environment;
  private final @Nullable CredentialsProvider provider;
  private final EncryptionKeys keys;

  /**
   * Those that the settings name.
   *
   * @throws IllegalArgumentException with a sentence that says what to do
   */
  @Inject
  Secrets(SecretsConfig config) {
    this(
        config.files(),
        System::getenv,
        config.secretsProvider().map(Secrets::bean).orElse(null),
        config.keys());
  }

  /**
   * Those of these sources.
   *
   * @param environment the value of a variable, or null
   */
  public Secrets(
      SecretFiles files,
      Function<String, @Nullable String> environment,
      @Nullable CredentialsProvider provider,
      EncryptionKeys keys) {
    this.files = files;
    this.environment = environment;
    this.provider = provider;
    this.keys = keys;
  }

  void start(@Observes StartupEvent event) {
    if (keys.current() != null) {
      LOG.infof("Values of env and stdin are encrypted with the key %s", keys.current());
    }
  }

  private static CredentialsProvider bean(String name) {
    try {
      return CredentialsProviderFinder.find(name);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "ERRAND_SECRETS_PROVIDER is '"
              + name
              + "', and this build has no credentials provider of that name; add the extension that"
              + " has it, or unset it");
    }
  }

  /** What encrypts and decrypts values for the database. */
  public EncryptionKeys keys() {
    return keys;
  }

  /**
   * The text of a secret.
   *
   * @param reference {@code secret://NAME}
   * @throws Unreadable if there is no such secret, or none that can be used
   */
  public String read(String reference) throws Unreadable {
    String name = SecretFiles.name(reference);
    String text = files.find(name);
    if (text == null) {
      text = environment.apply(VARIABLES + name.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_"));
    }
    if (text == null && provider != null) {
      text = credentials(provider, name);
    }
    if (text == null) {
      throw new Unreadable("There is no secret " + name + " on this worker");
    }
    return text;
  }

  /** The password of the credentials, or their only value. */
  private static @Nullable String credentials(CredentialsProvider provider, String name)
      throws Unreadable {
    Map<String, String> found;
    try {
      found = provider.getCredentialsAsync(name).await().atMost(LONGEST);
    } catch (RuntimeException e) {
      LOG.debugf(
          "The credentials provider failed: %s", e.getClass().getName()); // no message of others
      throw new Unreadable(
          "The credentials provider cannot give the secret "
              + name
              + " ("
              + e.getClass().getSimpleName()
              + ")");
    }
    if (found == null || found.isEmpty()) {
      return null;
    }
    String password = found.get(CredentialsProvider.PASSWORD_PROPERTY_NAME);
    if (password == null && found.size() > 1) {
      throw new Unreadable(
          "The credentials " + name + " have no password, and several other values");
    }
    return password == null ? found.values().iterator().next() : password;
  }
}
