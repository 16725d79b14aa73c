package io.errand.ops;

import io.errand.settings.AllSettings;
import io.errand.settings.Settings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes secrets out of texts: those that this host knows, whatever stands around them, and what
 * looks like a secret.
 */
final class Masking {
  private static final String MASK = "(masked)";
  private static final int LEAST_LENGTH = 4;
  private static final int MOST_FILE_BYTES = 64 * 1024;
  private static final int MOST_FILES = 2_000;

  /** Settings that name a file of secrets. */
  private static final List<String> FILES =
      List.of("encryption-key-file", "oidc-console-client-secret-file", "tls-key");

  private static final Pattern NAME_OF_SECRET =
      Pattern.compile(".*(SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|API_?KEY).*");

  /** What stands before a secret, as its first group, and the secret. */
  private static final List<Pattern> FORMS =
      List.of(
          Pattern.compile("(errand_[a-z0-9]{12}_)[A-Za-z0-9_-]{43}"),
          Pattern.compile("((?i:bearer|basic) )[^\\s\"']{4,}"),
          Pattern.compile("()\\beyJ[A-Za-z0-9_-]{5,}\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*"),
          Pattern.compile(
              "((?i:password|passwd|secret|token|api[_-]?key|credential)[a-zA-Z_-]{0,20}[\"']?[=:] ?[\"']?)[^\\s\"'&,;]+"),
          Pattern.compile("([?&](?:link|code|state|csrf)=)[^\\s&\"']+"),
          Pattern.compile("([a-z][a-z0-9+.-]{0,20}://[^\\s/:@]{0,200}:)[^\\s/@]{1,200}(?=@)"));

  private static final Pattern PASSWORD_OF_ADDRESS =
      Pattern.compile("[?&]password=([^&]+)|://[^/:@]{0,200}:([^/@]{1,200})@");

  private final List<String> known;

  private Masking(Set<String> secrets) {
    known = new ArrayList<>(secrets);
    known.sort(Comparator.comparingInt(String::length).reversed()); // one may be a part of another
  }

  /** With the secrets of this process's settings and variables, and of the files of its server. */
  static Masking of(Settings settings, Map<String, String> environment, Path home) {
    Set<String> secrets = new TreeSet<>();
    for (String value : settings.secrets()) {
      add(secrets, value);
      Matcher password = PASSWORD_OF_ADDRESS.matcher(value);
      while (password.find()) {
        add(secrets, password.group(1) == null ? password.group(2) : password.group(1));
      }
    }
    environment.forEach(
        (name, value) -> {
          if (NAME_OF_SECRET.matcher(name.toUpperCase(Locale.ROOT)).matches()
              && AllSettings.LIST.stream().noneMatch(one -> one.variable().equals(name))) {
            add(secrets, value);
          }
        });
    addWords(secrets, home.resolve("token"));
    addWords(secrets, home.resolve("pgpass"));
    for (String setting : FILES) {
      String file = settings.get(setting);
      if (file != null) {
        addWords(secrets, Path.of(file));
      }
    }
    String folder = settings.get("secrets-dir");
    if (folder != null) {
      addFolder(secrets, Path.of(folder));
    }
    return new Masking(secrets);
  }

  private static void add(Set<String> secrets, String value) {
    if (value.strip().length() >= LEAST_LENGTH) {
      secrets.add(value.strip());
    }
  }

  private static void addFolder(Set<String> secrets, Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      int count = 0;
      for (Path file : files) {
        if (count++ == MOST_FILES) {
          break;
        }
        String content = content(file);
        add(secrets, content);
        content.lines().forEach(line -> add(secrets, line));
      }
    } catch (IOException | RuntimeException e) {
      return; // nothing of it is known here, so nothing of it can be masked
    }
  }

  /**
   * The words of a file: of a line such as {@code ID KEY}, or {@code host:port:db:user:password}.
   */
  private static void addWords(Set<String> secrets, Path file) {
    for (String word : content(file).split("[\\s:]")) {
      if (word.length() >= 16) {
        add(secrets, word);
      }
    }
  }

  private static String content(Path file) {
    try {
      return Files.isRegularFile(file) && Files.size(file) <= MOST_FILE_BYTES
          ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
          : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** The text without secrets. */
  String mask(String text) {
    String clean = text;
    for (String secret : known) {
      clean = clean.replace(secret, MASK);
    }
    for (Pattern form : FORMS) {
      clean = form.matcher(clean).replaceAll("$1" + MASK);
    }
    return clean;
  }
}
