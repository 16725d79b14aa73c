package io.errand.exec;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;

/**
 * A directory of this server's own, which no other account but root may replace: neither it, nor
 * anything on the way to it.
 */
public final class TrustedPath {
  private static final int OTHERS_WRITE = 0002;
  private static final int GROUP_WRITE = 0020;
  private static final int STICKY = 01000;
  private static final int MOST_LINKS = 40; // as the kernel
  private static final int UNMAPPED =
      65534; // what an owner outside of a user namespace is shown as

  private final Path directory;
  private final int uid;
  private final int gid;
  private final boolean unmappedIsOutside;
  private int links;

  private TrustedPath(Path directory) throws IOException {
    this.directory = directory.toAbsolutePath();
    uid = effective("Uid:");
    gid = effective("Gid:");
    unmappedIsOutside = !isMapped(UNMAPPED);
  }

  /**
   * Makes a directory that only this account may enter, if it is missing, and its missing parents
   * as {@link PassableParents} does.
   *
   * @throws IOException with a sentence for people, if it cannot be made, is a link, belongs to
   *     another account, or can be replaced by one
   */
  public static void make(Path directory) throws IOException {
    TrustedPath trusted = new TrustedPath(directory);
    trusted.check();
    try {
      PassableParents.make(directory);
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      // it is checked below
    } catch (IOException e) {
      throw new IOException(
          "the directory "
              + directory
              + " cannot be made ("
              + e
              + "); set ERRAND_HOME or ERRAND_TEMPORARY_DIRECTORY to another",
          e);
    }
    trusted.check();
  }

  private void check() throws IOException {
    links = 0;
    checkWay(directory);
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      throw refusal(directory, "is not a directory, or a link to one", "");
    }
    int owner = fact(directory, "uid");
    boolean given = owner == 0 && uid != 0; // a volume, as container engines make them
    if (owner != uid && !given) {
      throw refusal(
          directory,
          "belongs to uid " + owner + " and not to the server's account",
          "chown it to uid " + uid);
    }
    if (owner == uid && isWritableByOthers(directory)) {
      throw refusal(directory, "can be written to by other accounts", "chmod go-w it");
    }
  }

  /** Each directory and link on the way, itself included, as far as they exist. */
  private void checkWay(Path path) throws IOException {
    Path way = path.getRoot();
    checkOne(way);
    for (Path name : path) {
      way = way.resolve(name);
      if (!Files.exists(way, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      checkOne(way);
      if (Files.isSymbolicLink(way)) {
        if (++links > MOST_LINKS) {
          throw refusal(way, "leads through too many links", "");
        }
        Path folder = way.resolveSibling("").toRealPath();
        checkWay(folder.resolve(Files.readSymbolicLink(way)).normalize());
      }
    }
  }

  private void checkOne(Path path) throws IOException {
    int owner = fact(path, "uid");
    if (owner != 0 && owner != uid && !(owner == UNMAPPED && unmappedIsOutside)) {
      throw refusal(
          path,
          "belongs to uid " + owner + ", which is neither root nor the server's account",
          "chown it to root" + (uid == 0 ? "" : " or to uid " + uid));
    }
    boolean given = owner != uid && uid != 0;
    if (!given
        && !path.equals(directory)
        && !Files.isSymbolicLink(path)
        && isWritableByOthers(path)) {
      throw refusal(
          path, "can be written to by other accounts", "chmod go-w it, or set its sticky bit");
    }
  }

  private boolean isWritableByOthers(Path path) throws IOException {
    int mode = fact(path, "mode");
    boolean group = (mode & GROUP_WRITE) != 0 && fact(path, "gid") != gid;
    boolean sticky = (mode & STICKY) != 0 && !path.equals(directory);
    return ((mode & OTHERS_WRITE) != 0 || group) && !sticky;
  }

  private static int fact(Path path, String name) throws IOException {
    return (Integer)
        Objects.requireNonNull(Files.getAttribute(path, "unix:" + name, LinkOption.NOFOLLOW_LINKS));
  }

  /** A refusal that says what to do to the path, and what else. */
  private IOException refusal(Path path, String fault, String advice) {
    return new IOException(
        (path.equals(directory) ? "" : "the way to " + directory + " is not safe: ")
            + path
            + " "
            + fault
            + "; "
            + (advice.isEmpty() ? "" : advice + ", or ")
            + "set ERRAND_HOME or ERRAND_TEMPORARY_DIRECTORY to a directory elsewhere");
  }

  /** As the kernel tells, since native calls are not there before the data directory is. */
  private static int effective(String kind) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith(kind)) {
        return (int) Long.parseLong(line.trim().split("\\s+")[2]);
      }
    }
    throw new IOException("/proc/self/status does not tell the account of this process");
  }

  /** Whether this user namespace has an account of this number. */
  private static boolean isMapped(int id) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/uid_map"))) {
      String[] fields = line.trim().split("\\s+");
      long first = Long.parseLong(fields[0]);
      if (id >= first && id < first + Long.parseLong(fields[2])) {
        return true;
      }
    }
    return false;
  }
}
