package io.errand.cli;

import io.errand.client.Json;
import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The servers that have a name on this host, in a file that only its user may read: {@code
 * ~/.config/errand/contexts.json}.
 *
 * @param current the name of the one that is used where nothing else is said, or empty
 * @param all by their names, at most {@value #MOST}
 */
record Contexts(String current, Map<String, Context> all) {
  private static final int MOST = 1_000;
  private static final int MOST_BYTES = 1 << 20;
  private static final Set<PosixFilePermission> OF_OTHERS =
      PosixFilePermissions.fromString("---rwxrwx");

  static Path file() {
    return ClientSettings.configuration().resolve("contexts.json");
  }

  /**
   * What the file says; nothing if there is none.
   *
   * @throws ClientException if it cannot be read, or if others may read it
   */
  static Contexts read() {
    Path file = file();
    try {
      if (Files.getPosixFilePermissions(file).stream().anyMatch(OF_OTHERS::contains)) {
        throw new ClientException(
            ExitCodes.USAGE,
            file + " holds tokens, and others may read it; run: chmod 600 '" + file + "'");
      }
      if (Files.size(file) > MOST_BYTES) {
        throw new ClientException(ExitCodes.USAGE, file + " has more than 1 MiB");
      }
      Map<String, Object> json = Json.object(Files.readString(file));
      Map<String, Context> all = new LinkedHashMap<>();
      if (json.get("contexts") instanceof List<?> list) {
        list.forEach(
            one -> {
              if (one instanceof Map<?, ?> map) {
                Context context = Context.of(map);
                all.put(context.name(), context);
              }
            });
      }
      return new Contexts(String.valueOf(json.getOrDefault("current", "")), all);
    } catch (NoSuchFileException e) {
      return new Contexts("", new LinkedHashMap<>());
    } catch (IOException e) {
      throw new ClientException(ExitCodes.USAGE, file + " cannot be read: " + FaultText.of(e));
    }
  }

  /**
   * The one of a name.
   *
   * @throws ClientException for usage, if there is none
   */
  Context get(String name) {
    Context found = all.get(name);
    if (found == null) {
      throw new ClientException(
          ExitCodes.USAGE,
          "there is no context '" + Visible.line(name) + "'; `errand context list` shows them");
    }
    return found;
  }

  /** The one in use, or null. */
  @Nullable Context inUse() {
    return current.isEmpty() ? null : all.get(current);
  }

  /** Replaces the file. */
  void save() {
    if (all.size() > MOST) {
      throw new ClientException(ExitCodes.USAGE, "there are more than " + MOST + " contexts");
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("current", current);
    json.put("contexts", all.values().stream().map(Context::json).toList());
    Path folder = ClientSettings.configuration();
    try {
      Files.createDirectories(folder, only("rwx------"));
      Path partial = Files.createTempFile(folder, "contexts", ".partial", only("rw-------"));
      Files.writeString(partial, Json.pretty(Given.of(json)));
      Files.move(
          partial, file(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new ClientException(
          ExitCodes.FAILED, "contexts cannot be kept in " + folder + ": " + FaultText.of(e));
    }
  }

  private static FileAttribute<?> only(String permissions) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
  }
}
