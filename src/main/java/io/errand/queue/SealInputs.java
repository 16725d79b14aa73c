package io.errand.queue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.job.JobSpec;
import io.errand.job.Seal;
import io.errand.secrets.EncryptionKeys;
import io.errand.secrets.Secrets;
import io.errand.secrets.Unreadable;
import io.errand.store.submit.NewJob;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Encrypts the values of {@code env} and {@code stdin} before they are stored, where this server
 * has a key. Where it has none, nothing is changed and nothing is looked at.
 */
@Singleton
public class SealInputs {
  /** The member of a stored body of a schedule that names the key of its values. */
  public static final String KEY = "sealed_key";

  /** Encrypts nothing. */
  public static final SealInputs NOT = new SealInputs(EncryptionKeys.NONE);

  private static final String ENV = "env";
  private static final String STDIN = "stdin";

  private final EncryptionKeys keys;

  @Inject
  SealInputs(Secrets secrets) {
    this(secrets.keys());
  }

  private SealInputs(EncryptionKeys keys) {
    this.keys = keys;
  }

  /** The same job with encrypted values, if there are any. */
  public NewJob seal(NewJob job) {
    String key = keys.current();
    JobSpec spec = job.spec();
    if (key == null || (spec.environment().isEmpty() && spec.stdin() == null)) {
      return job;
    }
    Map<String, String> environment = new HashMap<>();
    spec.environment()
        .forEach(
            (name, value) ->
                environment.put(name, keys.encrypt(job.id(), ENV + "." + name, value)));
    String stdin = spec.stdin();
    return job.sealed(
        environment,
        stdin == null ? null : keys.encrypt(job.id(), STDIN, stdin),
        new Seal(key, job.id()));
  }

  /**
   * The body of a schedule's submits as it is stored.
   *
   * @param schedule its id
   * @param job an object of JSON; one whose values are encrypted already stays as it is
   */
  public JsonNode sealBody(UUID schedule, JsonNode job) {
    String key = keys.current();
    if (key == null
        || job.has(KEY)
        || !(job.path(ENV).isObject() && !job.path(ENV).isEmpty())
            && !job.path(STDIN).isTextual()) {
      return job;
    }
    ObjectNode sealed = job.deepCopy();
    replace(sealed, (field, value) -> keys.encrypt(schedule, field, value));
    return sealed.put(KEY, key);
  }

  /**
   * The body of a schedule's submits in clear.
   *
   * @param schedule its id
   * @param stored as {@link #sealBody} has made it
   * @throws Unreadable if its values cannot be decrypted here
   */
  public JsonNode openBody(UUID schedule, JsonNode stored) throws Unreadable {
    JsonNode key = stored.get(KEY);
    if (key == null) {
      return stored;
    }
    ObjectNode clear = stored.deepCopy();
    clear.remove(KEY);
    replace(
        clear,
        (field, value) ->
            new String(keys.decrypt(key.asText(), schedule, field, value), StandardCharsets.UTF_8));
    return clear;
  }

  /** What is done to a value. */
  private interface Change<E extends Exception> {
    String of(String field, String value) throws E;
  }

  private static <E extends Exception> void replace(ObjectNode job, Change<E> change) throws E {
    if (job.get(ENV) instanceof ObjectNode environment) {
      for (Map.Entry<String, JsonNode> variable : environment.properties()) {
        if (variable.getValue().isTextual()) {
          String field = ENV + "." + variable.getKey();
          environment.put(variable.getKey(), change.of(field, variable.getValue().textValue()));
        }
      }
    }
    JsonNode stdin = job.get(STDIN);
    if (stdin != null && stdin.isTextual()) {
      job.put(STDIN, change.of(STDIN, stdin.textValue()));
    }
  }
}
