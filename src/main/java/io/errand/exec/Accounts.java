package io.errand.exec;

import io.errand.exec.NameService.UnavailableException;
import io.errand.job.Confinement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which account a command runs as, and which it may never be. All are compared by uid: two names
 * may be one account.
 */
public final class Accounts {
  private static final String ROOT = "root";

  /** What commands without a user run as, or null for the server's own account. */
  private final @Nullable Account standard;

  /** What those in a sandbox run as: never uid 0. Null where the server is not root. */
  private final @Nullable Account unprivileged;

  private final boolean rootAllowed;
  private final Path home;

  /** The account of this process. */
  private final Account own = find(LibC.geteuid());

  private Accounts(
      @Nullable Account standard, @Nullable Account unprivileged, boolean rootAllowed, Path home) {
    this.standard = standard;
    this.unprivileged = unprivileged;
    this.rootAllowed = rootAllowed;
    this.home = home;
  }

  /**
   * As the setting has it.
   *
   * @param runAs what {@code ERRAND_RUN_AS} says, or null
   * @param home the server's own directory
   * @throws IllegalStateException with a sentence, if commands cannot run so
   */
  public static Accounts choose(@Nullable String runAs, Path home) {
    String own = System.getProperty("user.name", "");
    if (!isRoot()) {
      if (runAs != null && !runAs.equals(own)) {
        throw new IllegalStateException(
            "ERRAND_RUN_AS is '"
                + runAs
                + "', but only a server that root runs can run commands as another account; unset"
                + " it, or start the server as "
                + runAs);
      }
      return new Accounts(null, null, false, home);
    }
    Account unprivileged = runAs == null || runAs.equals(ROOT) ? ownAccount(home) : named(runAs);
    boolean asRoot = ROOT.equals(runAs) || unprivileged != null && unprivileged.uid() == 0;
    Accounts accounts =
        new Accounts(
            asRoot ? null : unprivileged,
            asRoot ? ownAccount(home) : inSandbox(unprivileged),
            asRoot,
            home);
    accounts.check(runAs);
    return accounts;
  }

  /** Commands without a user run as whoever this process runs as; asked for, where that is root. */
  static Accounts asTheServer(Path home) {
    return new Accounts(null, isRoot() ? ownAccount(home) : null, true, home);
  }

  private void check(@Nullable String runAs) {
    Account account = standard;
    if (account == null) {
      if (!rootAllowed) {
        throw new IllegalStateException(
            "There is no free uid for commands between 65520 and 65531; set ERRAND_RUN_AS to an"
                + " account of this host");
      }
      return;
    }
    if (reserved().contains(account.uid())) {
      throw new IllegalStateException(
          "ERRAND_RUN_AS is '"
              + runAs
              + "', which is the account of the server's own database; set it to another");
    }
    if (HostTools.find().path("setpriv") == null) {
      throw new IllegalStateException(
          "Commands cannot be run as another account than root, as setpriv (util-linux) is not"
              + " installed: install it, start the server as an ordinary user, or set"
              + " ERRAND_RUN_AS=root");
    }
  }

  private static Account named(String name) {
    Account account = find(name);
    if (account == null) {
      throw new IllegalStateException(
          "ERRAND_RUN_AS is '" + name + "', and this host has no such account; set it to one");
    }
    return account;
  }

  /** For the start, which may wait for the answer. */
  private static @Nullable Account find(String name) {
    try {
      return NameService.find(name);
    } catch (UnavailableException e) {
      throw new IllegalStateException("Commands have no account to run as: " + e.getMessage(), e);
    }
  }

  private static Account find(int uid) {
    try {
      Account account = NameService.of(uid);
      return account == null ? Account.unknown(uid) : account;
    } catch (UnavailableException e) {
      return Account.unknown(uid);
    }
  }

  private static @Nullable Account ownAccount(Path home) {
    Account errand = find("errand");
    Integer database = databaseOwner(home);
    boolean fits =
        errand != null && errand.uid() != 0 && (database == null || database != errand.uid());
    return fits ? errand : Account.free(null);
  }

  /**
   * The account of a sandbox, where other commands without a user have this one. A free uid is not
   * shared: who has the account of bwrap can trace it, and make it leave the bounds of commands. An
   * account of the host is what the operator wants files to belong to, so a sandbox has it too.
   */
  private static @Nullable Account inSandbox(@Nullable Account standard) {
    return standard == null || standard.home() != null ? standard : Account.free(standard);
  }

  static boolean isRoot() {
    return LibC.geteuid() == 0;
  }

  /** The account of this process. */
  Account own() {
    return own;
  }

  /** The account of a command without a user; null is the server's own. */
  @Nullable Account withoutUser(boolean sandbox) {
    return sandbox ? unprivileged : standard;
  }

  /**
   * Why a command must not run as its account, or null if it may.
   *
   * @param account of its user, null where this host has none of that name; or what {@link
   *     #withoutUser} says
   */
  @Nullable String refusalOf(Confinement confinement, @Nullable Account account) {
    String user = confinement.user();
    if (user == null) {
      return confinement.sandbox() != null && isRoot() && account == null
          ? "a sandbox is never run as root, and there is no free uid for it on this worker"
          : null;
    }
    if (account == null) {
      return "there is no user " + user + " on this worker";
    }
    if (account.uid() == 0 && confinement.sandbox() != null) {
      return "the user " + user + " is root, and a sandbox is never run as root";
    }
    if (account.uid() == 0 && !rootAllowed) {
      return "the user "
          + user
          + " is the account that the server itself runs as; its operator may allow that with"
          + " ERRAND_RUN_AS=root";
    }
    return reserved().contains(account.uid())
        ? "the user " + user + " is the account of the server's own database"
        : null;
  }

  /** The built-in database's; asked each time, as it may be made later than this. */
  private Set<Integer> reserved() {
    Set<Integer> reserved = new HashSet<>(2);
    Integer owner = databaseOwner(home);
    if (owner != null && owner != 0) {
      reserved.add(owner);
    }
    return reserved;
  }

  private static @Nullable Integer databaseOwner(Path home) {
    try {
      return (Integer) Files.getAttribute(home.resolve("data"), "unix:uid");
    } catch (IOException e) {
      return null; // no built-in database
    }
  }

  /** For the log at the start: what commands without a user run as. */
  public String description() {
    Account account = standard;
    if (account != null) {
      return "Commands without a user run as "
          + (account.home() == null
              ? "uid " + account.uid() + ", which no other account of this host has"
              : account.name());
    }
    return "Commands without a user of their own run as "
        + System.getProperty("user.name", "the server's user")
        + ", like the server, and can read its files, the token among them: give jobs a sandbox"
        + (isRoot() ? " or a user" : ", start the server as root so that jobs can name a user")
        + ", or trust whoever may submit";
  }

  /** Whether commands without a user run as the server does. */
  public boolean isTheServers() {
    return standard == null;
  }
}
