package io.errand.exec;

/**
 * Child processes of this one, the guardian and the built-in database among them.
 *
 * @param running how many run
 * @param zombies how many have ended and were not waited for yet
 */
public record OwnChildren(int running, int zombies) {
  private static final int MOST = 10_000;

  /** Counts them, 10,000 at most. Reads one small file for each. */
  public static OwnChildren now() {
    int running = 0;
    int zombies = 0;
    for (int pid : ProcFs.children(LibC.getpid())) {
      if (running + zombies == MOST) {
        break;
      }
      ProcFs.Stat stat = ProcFs.stat(pid);
      if (stat != null && stat.isAlive()) {
        running++;
      } else if (stat != null) {
        zombies++;
      }
    }
    return new OwnChildren(running, zombies);
  }
}
