package io.errand.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the files and directories of {@code ERRAND_CONFIG} say. A later one comes before an earlier
 * one, and within one what holds for the profile comes before what always holds. All that stands in
 * them is checked, also what holds for other profiles.
 */
final class ConfigFiles {
  private static final int MOST_FILES = 1000; // of a directory

  private final @Nullable String profile;
  private final List<String> mistakes;
  private final Set<String> profiles = new TreeSet<>(); // of which there is something
  private final Map<String, Found> found = new LinkedHashMap<>(); // by name of the setting

  private ConfigFiles(@Nullable String profile, List<String> mistakes) {
    this.profile = profile;
    this.mistakes = mistakes;
  }

  /**
   * Reads them.
   *
   * @param locations paths with commas between them, or null for none
   * @param profile the profile that is asked for, or null
   * @param mistakes takes a sentence for each
   * @return the values by the names of their settings
   */
  static Map<String, Found> read(
      @Nullable String locations, @Nullable String profile, List<String> mistakes) {
    ConfigFiles files = new ConfigFiles(profile, mistakes);
    for (String location : locations == null ? new String[0] : locations.split(",")) {
      if (!location.isBlank()) {
        files.readLocation(location.strip());
      }
    }
    if (profile != null && !files.profiles.contains(profile)) {
      mistakes.add(
          "ERRAND_PROFILE is '"
              + Form.shown(profile)
              + "', and nothing that ERRAND_CONFIG names holds for that profile"
              + Names.near(profile, files.profiles));
    }
    return files.found;
  }

  private void readLocation(String location) {
    try {
      Path path = Path.of(location).toAbsolutePath().normalize();
      if (Files.isDirectory(path)) {
        readDirectory(path);
      } else if (!isConfiguration(path)) {
        mistakes.add(
            "ERRAND_CONFIG names "
                + path
                + ", which is neither a directory nor NAME.properties, NAME.yaml or NAME.yml");
      } else {
        List<Read> read = new ArrayList<>(readFile(path));
        if (profile != null && Files.exists(ofProfile(path, profile))) {
          profiles.add(profile);
          for (Read one : readFile(ofProfile(path, profile))) {
            read.add(one.in(profile));
          }
        }
        take(read);
      }
    } catch (InvalidPathException e) {
      mistakes.add("ERRAND_CONFIG names '" + Form.shown(location) + "', which is no path");
    }
  }

  /** Where a line stands. */
  private record Read(@Nullable String profile, Setting setting, String value, String source) {
    Read in(String other) {
      return profile == null ? new Read(other, setting, value, source) : this;
    }
  }

  private static boolean isConfiguration(Path file) {
    return String.valueOf(file.getFileName()).matches("(?s).+\\.(properties|ya?ml)");
  }

  /** {@code errand.yaml} of the profile staging is {@code errand-staging.yaml} beside it. */
  private static Path ofProfile(Path file, String profile) {
    String name = String.valueOf(file.getFileName());
    int dot = name.lastIndexOf('.');
    return file.resolveSibling(name.substring(0, dot) + "-" + profile + name.substring(dot));
  }

  /** As Kubernetes mounts a ConfigMap: a file for each setting, and links that begin with dots. */
  private void readDirectory(Path directory) {
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files = all.limit(MOST_FILES + 1L).sorted().toList();
    } catch (IOException e) {
      mistakes.add("ERRAND_CONFIG names " + directory + ", which cannot be read");
      return;
    }
    if (files.size() > MOST_FILES) {
      mistakes.add(directory + " holds more than " + MOST_FILES + " files");
      return;
    }
    List<Read> read = new ArrayList<>();
    for (Path file : files) {
      String name = String.valueOf(file.getFileName());
      if (name.startsWith("..")) {
        continue;
      }
      if (isConfiguration(file)) {
        read.addAll(readFile(file));
      } else {
        String property =
            Names.ofVariable(name).map(Setting::property).orElse(name); // either may be its name
        readOne(file, FileLine.of(property, "", 0), read);
      }
    }
    take(read);
  }

  private void readOne(Path file, FileLine named, List<Read> read) {
    try {
      Setting setting = known(named, file.toString());
      if (setting != null) {
        ConfigFile text = ConfigFile.read(file);
        FileLine line = new FileLine(named.profile(), named.name(), text.text(), 0);
        add(text, line, setting, file.toString(), read);
      }
    } catch (ConfigFile.UnusableException e) {
      mistakes.add(e.getMessage());
    }
  }

  private List<Read> readFile(Path file) {
    List<Read> read = new ArrayList<>();
    try {
      ConfigFile text = ConfigFile.read(file);
      List<FileLine> lines =
          file.toString().endsWith(".properties")
              ? PropertiesLines.read(text.text())
              : YamlLines.read(text.text());
      for (FileLine line : lines) {
        String place = file + ":" + line.line();
        Setting setting = known(line, place);
        if (setting != null) {
          add(text, line, setting, place, read);
        }
      }
    } catch (ConfigFile.UnusableException e) {
      mistakes.add(e.getMessage());
    } catch (FileLine.MalformedException e) {
      mistakes.add(file + ":" + e.line + ": it " + e.getMessage());
    }
    return read;
  }

  private @Nullable Setting known(FileLine line, String place) {
    Setting setting = Names.ofProperty(line.name()).orElse(null);
    if (line.profile() != null) {
      profiles.add(line.profile());
    }
    if (setting == null) {
      mistakes.add(
          place
              + ": "
              + Form.shown(line.name())
              + " is no setting of this server"
              + Names.propertyNear(line.name()));
    } else if (Names.isFirst(setting)) {
      mistakes.add(
          place
              + ": "
              + line.name()
              + " can be set in the environment only, by "
              + setting.variable());
      return null;
    }
    return setting;
  }

  private void add(ConfigFile file, FileLine line, Setting setting, String place, List<Read> read) {
    String value = setting.trimmed(line.value());
    if (value.isEmpty()) {
      return; // as an empty variable: not set
    }
    String complaint = setting.form().complaint().apply(value);
    if (!complaint.isEmpty()) {
      mistakes.add(place + ": " + setting.property() + complaint);
    } else if (file.isReadByAll() && setting.holdsSecret(value)) {
      mistakes.add(
          place
              + ": "
              + setting.property()
              + " is secret, and every account may read the file; chmod o-r it");
    } else {
      read.add(new Read(line.profile(), setting, value, place));
    }
  }

  /** The lines of one location: none may say a thing twice. */
  private void take(List<Read> read) {
    Map<String, String> places = new HashMap<>();
    for (Read line : read) {
      String key = line.profile() + " " + line.setting().name();
      String earlier = places.put(key, line.source());
      if (earlier != null) {
        mistakes.add(
            line.source() + ": " + line.setting().property() + " stands in " + earlier + ", too");
      }
      if (line.profile() == null) {
        found.put(line.setting().name(), new Found(line.value(), line.source()));
      }
    }
    for (Read line : read) {
      if (line.profile() != null && line.profile().equals(profile)) {
        found.put(
            line.setting().name(),
            new Found(line.value(), line.source() + " (profile " + profile + ")"));
      }
    }
  }
}
