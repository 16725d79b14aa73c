package io.errand.exec;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a command learns of its account and its directories. What the job itself has set stands. */
final class CommandEnvironment {
  private CommandEnvironment() {}

  /**
   * The same command with these variables.
   *
   * @param account what it runs as, or null for this process's own
   * @param own this process's account
   * @param temporary its private directory
   */
  static CommandSpec complete(
      CommandSpec spec, @Nullable Account account, Account own, Path temporary) {
    Account named = account == null ? own : account;
    Path directory = spec.workingDirectory() == null ? temporary : spec.workingDirectory();
    Map<String, String> environment = new HashMap<>(spec.environment());
    environment.putIfAbsent("HOME", home(account, temporary));
    environment.putIfAbsent("USER", named.name());
    environment.putIfAbsent("LOGNAME", named.name());
    environment.putIfAbsent("SHELL", named.shell());
    environment.putIfAbsent("TMPDIR", temporary.toString());
    environment.putIfAbsent("PWD", directory.toString());
    environment.put(CommandSpec.COOKIE_VARIABLE, spec.cookie());
    return spec.withEnvironment(environment);
  }

  private static String home(@Nullable Account account, Path temporary) {
    if (account != null) {
      return account.home() == null ? temporary.toString() : account.home();
    }
    String own = System.getenv("HOME");
    return own == null ? System.getProperty("user.home", "/") : own;
  }
}
