package io.errand.store;

import io.errand.vault.Grant;
import io.errand.vault.Vault;
import io.errand.vault.VaultException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The login of the database where Vault gives it. A lease is renewed when half of it is over. If
 * Vault does not make it as long as it was, there is a new login while the old one still holds, and
 * sessions of the old one are closed as they become free. A login without a lease is read again
 * once a minute. One that the database refuses is replaced at once.
 */
public final class RotatingLogin {
  private static final Logger LOG = Logger.getLogger(RotatingLogin.class);
  private static final long MOST_SECONDS = 60; // between two looks
  private static final long LEAST_SECONDS = 1; // and after a failure

  /** One that is this young is not replaced, so that a database in trouble gets few new users. */
  private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(5);

  private static volatile @Nullable RotatingLogin ofThisProcess;

  private record Held(DatabaseLogin login, Grant grant, long token, long sinceNanos) {
    long secondsLeft() {
      return grant.seconds() - TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - sinceNanos);
    }
  }

  private final Vault vault;
  private final String path;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final Thread thread = new Thread(this::watch, "errand-database-login");
  private volatile Held held;
  private boolean isRefused; // guarded by this
  private volatile boolean stopped;

  private RotatingLogin(Vault vault, String path, Held held) {
    this.vault = vault;
    this.path = path;
    this.held = held;
    thread.setDaemon(true);
  }

  /**
   * Makes it the login of this process.
   *
   * @param path of Vault that gives a user and a password
   * @throws VaultException if Vault does not give them
   */
  public static DatabaseLogin begin(Vault vault, String path) throws VaultException {
    vault.keepToken();
    RotatingLogin made = new RotatingLogin(vault, path, read(vault, path));
    ofThisProcess = made;
    return made.current();
  }

  /** That of this process, or null where the settings name user and password. */
  static @Nullable RotatingLogin ofThisProcess() {
    return ofThisProcess;
  }

  /** The login for the next session. */
  DatabaseLogin current() {
    return held.login();
  }

  /** Begins to renew and to replace. */
  void start() {
    thread.start();
  }

  void stop() {
    stopped = true;
    thread.interrupt();
  }

  /** Calls it after each change of the login. */
  void onChange(Runnable call) {
    listeners.add(call);
  }

  /** The database does not let this one in. */
  synchronized void refuse(DatabaseLogin refused) {
    Held now = held;
    boolean isFresh = System.nanoTime() - now.sinceNanos() < FRESH_NANOS;
    if (refused.equals(now.login()) && !isFresh) {
      isRefused = true;
      notifyAll();
    }
  }

  private static Held read(Vault vault, String path) throws VaultException {
    long now = System.nanoTime();
    Grant grant = vault.read(path);
    return new Held(DatabaseLogin.of(path, grant), grant, vault.logins(), now);
  }

  private void watch() {
    boolean failed = false;
    while (!stopped) {
      try {
        if (failed) {
          TimeUnit.SECONDS.sleep(LEAST_SECONDS);
        } else {
          pause(Math.max(LEAST_SECONDS, secondsToLook()));
        }
        look();
        failed = false;
      } catch (InterruptedException e) {
        return;
      } catch (VaultException | RuntimeException e) {
        if (!failed) {
          LOG.warnf("The login of the database is not renewed yet: %s", e.getMessage());
        }
        failed = true;
      }
    }
  }

  /** Until half of the lease or of the token is over, or the login was refused. */
  private long secondsToLook() {
    Held now = held;
    long lease = now.grant().leaseId() == null ? MOST_SECONDS : now.secondsLeft();
    if (now.grant().leaseId() != null) {
      lease -= now.grant().seconds() / 2;
    }
    return Math.min(MOST_SECONDS, Math.min(lease, vault.tokenSecondsLeft() / 2));
  }

  private synchronized void pause(long seconds) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    long left = end - System.nanoTime();
    while (left > 0 && !isRefused) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
      left = end - System.nanoTime();
    }
  }

  private void look() throws VaultException {
    boolean refused;
    synchronized (this) {
      refused = isRefused;
    }
    vault.keepToken();
    Held now = held;
    boolean lasts = now.token() == vault.logins() && !refused;
    if (now.grant().leaseId() == null || !lasts) {
      replace(now);
    } else if (now.secondsLeft() <= now.grant().seconds() / 2 && !isRenewed(now)) {
      replace(now);
    }
  }

  private boolean isRenewed(Held now) throws VaultException {
    if (!now.grant().isRenewable()) {
      return false;
    }
    try {
      long sent = System.nanoTime();
      long seconds =
          vault.renew(Objects.requireNonNull(now.grant().leaseId()), now.grant().seconds());
      if (seconds < now.grant().seconds() / 4 * 3) {
        return false;
      }
      held = new Held(now.login(), now.grant(), now.token(), sent);
      return true;
    } catch (VaultException e) {
      if (e.isRefusal()) {
        return false;
      }
      throw e;
    }
  }

  private void replace(Held old) throws VaultException {
    Held fresh = read(vault, path);
    synchronized (this) {
      held = fresh;
      isRefused = false;
    }
    if (!fresh.login().equals(old.login())) {
      LOG.infof("The database is used as %s from now on", fresh.login().user());
      listeners.forEach(Runnable::run);
    }
  }
}
