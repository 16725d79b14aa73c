package io.errand;

import io.errand.client.Json;
import io.errand.embedded.DataDirectory;
import io.errand.settings.Settings;
import io.errand.settings.Settings.Effective;
import io.errand.settings.SettingsException;
import io.errand.text.FaultText;
import io.errand.text.Visible;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code errand serve --check}: every setting with its value and its source, and all that is wrong
 * with them. Nothing is started or changed. No secret is shown.
 */
final class CheckCommand {
  private static final int MISTAKEN = 2;

  private final boolean isJson;
  private final List<String> mistakes = new ArrayList<>();
  private List<Effective> settings = List.of();
  private List<String> warnings = List.of();
  private @Nullable Path home;

  CheckCommand(boolean isJson) {
    this.isJson = isJson;
  }

  /** Prints what was found; gives the exit status: 0, or 2 where the start would be refused. */
  int run() {
    List<String> notes = Settings.unknown(); // before anything else sets properties
    look();
    if (isJson) {
      System.out.println(Json.pretty(json(notes)));
    } else {
      settings.forEach(setting -> System.out.println(line(setting)));
      notes.forEach(note -> System.out.println("note: " + note));
      warnings.forEach(warning -> System.out.println("warning: " + warning));
      if (mistakes.isEmpty()) {
        System.out.println("The settings are fine; the data directory is " + home);
      }
    }
    mistakes.forEach(mistake -> System.err.println("errand: " + Visible.line(mistake)));
    return mistakes.isEmpty() ? 0 : MISTAKEN;
  }

  private void look() {
    try {
      Settings read = Settings.ofThisProcess();
      settings = read.effective();
      Path own = DataDirectory.of(read.get("home"));
      home = own;
      SettingsCheck check = new SettingsCheck();
      check.run(read, own);
      warnings = check.warnings();
      mistakes.addAll(check.mistakes());
    } catch (SettingsException e) {
      settings = e.others().effective();
      mistakes.addAll(e.mistakes());
    } catch (IllegalStateException | IllegalArgumentException e) {
      mistakes.add(FaultText.of(e));
    }
  }

  private static String line(Effective setting) {
    String value = setting.value();
    String shown = value != null ? "=" + value : " (" + setting.standard() + ")";
    return Visible.line(
        setting.variable()
            + (value == null && setting.standard().isEmpty() ? " (none)" : shown)
            + "  # "
            + setting.source());
  }

  private Map<String, Object> json(List<String> notes) {
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    for (Effective setting : settings) {
      Map<String, @Nullable Object> one = new LinkedHashMap<>();
      one.put("setting", setting.variable());
      one.put("value", setting.value());
      one.put("source", setting.source());
      list.add(one);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("ok", mistakes.isEmpty());
    all.put("settings", list);
    all.put("notes", notes);
    all.put("warnings", warnings);
    all.put("mistakes", mistakes);
    return all;
  }
}
