package io.errand.exec;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The private temporary directories of commands. Each has the name of its command's cookie before
 * the command starts, so that whoever hunts for what a dead server left behind finds the cookies
 * here.
 *
 * <p>A directory that comes back empty is put aside and, if it is then still as it was made, serves
 * again under another name: to make and remove one for each command is, on some file systems,
 * dearer than the command (ADR 14). Safe from any thread.
 */
final class TemporaryDirectories {
  private static final Logger LOG = Logger.getLogger(TemporaryDirectories.class);
  private static final int MOST_ASIDE = 64;
  private static final String ASIDE = "aside-";
  private static final String REMOVING = "removing-";
  private static final int OWNER_ONLY = 0700;

  private final Path root;
  private final Kind asMade;
  private final BlockingDeque<Path> aside = new LinkedBlockingDeque<>(MOST_ASIDE);
  private final AtomicLong number = new AtomicLong();
  private final DirectoryRemover remover = new DirectoryRemover();

  /**
   * None yet.
   *
   * @param root where they are made; created if missing, and all that it holds is removed
   */
  TemporaryDirectories(Path root) throws IOException {
    this.root = root;
    makeRoot();
    remover.addEarlier(moveAll());
    Path first = Files.createDirectory(nextAside());
    Kind made = Kind.ofEmpty(first);
    if (made == null) {
      throw new IOException("A directory that was just made cannot be looked at: " + first);
    }
    asMade = made;
    aside.add(first);
  }

  /** What an earlier server left, out of the way of new names, and not waited for. */
  private List<Path> moveAll() throws IOException {
    List<Path> earlier = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root)) {
      entries.forEach(earlier::add);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    earlier.replaceAll(this::moved);
    return earlier;
  }

  private Path moved(Path entry) {
    try {
      return Files.move(entry, nextRemoving(), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.warnf("What an earlier server left keeps its name: %s", e.getMessage());
      return entry;
    }
  }

  /** What a command may have changed of its directory, and must not leave to another. */
  private record Kind(FileFacts.Rights rights, long extendedBytes, List<Integer> flags) {
    private static final int COUNT_OF_EXTENTS = 2; // in struct fsxattr
    private static final ThreadLocal<FileFacts> FACTS = ThreadLocal.withInitial(FileFacts::new);

    /** Of an empty directory; null where it is none, holds something or cannot be opened. */
    static @Nullable Kind ofEmpty(Path directory) {
      try (OpenDirectory open = OpenDirectory.of(directory.toString())) {
        FileFacts facts = FACTS.get();
        return open == null || !facts.look(open.descriptor()) || !open.isEmpty()
            ? null
            : new Kind(
                facts.rights(),
                LibC.flistxattr(open.descriptor(), null, 0), // an access list is one of them
                flags(open.descriptor()));
      }
    }

    /**
     * As of {@code chattr(1)}, and what else {@code FS_IOC_FSGETXATTR} tells: more flags, hints of
     * sizes of extents, and the project, whose quota counts it. 0 where the file system has none.
     */
    private static List<Integer> flags(int descriptor) {
      int[] flags = new int[2]; // the kernel writes an int, whatever its manual says
      int[] more = new int[LibC.FSXATTR_INTS];
      LibC.ioctl(descriptor, LibC.FS_IOC_GETFLAGS, flags);
      LibC.ioctl(descriptor, LibC.FS_IOC_FSGETXATTR, more);
      more[COUNT_OF_EXTENTS] = flags[0];
      return Arrays.stream(more).boxed().toList();
    }
  }

  /** Where the directory of the command with this cookie is while it runs. */
  Path of(String cookie) {
    return root.resolve(cookie);
  }

  /**
   * Makes it: empty, and only this process's user may enter.
   *
   * @param mayServeAgain whether it may be one that served a command before. Whoever kept that open
   *     sees names that its next command makes, so only for commands of the same account
   */
  void make(Path directory, boolean mayServeAgain) throws IOException {
    Path free = mayServeAgain ? aside.pollFirst() : null;
    if (free == null || !servesAgain(free, directory)) {
      try {
        Files.createDirectory(directory);
      } catch (NoSuchFileException e) {
        makeRoot(); // somebody has removed it
        Files.createDirectory(directory);
      }
    }
  }

  /** Whoever knows where it lay may have changed it meanwhile, so this is where it is looked at. */
  private boolean servesAgain(Path free, Path directory) {
    try {
      Files.move(free, directory, StandardCopyOption.ATOMIC_MOVE);
      if (asMade.equals(Kind.ofEmpty(directory))) {
        LibC.utimes(directory.toString(), null); // its times are now
        return true;
      }
    } catch (IOException e) {
      LOG.debugf("A directory that was put aside cannot serve again: %s", e.getMessage());
    }
    removeLater(directory, () -> {}); // which moves it out of the way at once
    return false;
  }

  /**
   * Takes a directory away, with whatever is in it.
   *
   * @param unused whether nothing of the command that it was made for runs any more, and it may
   *     serve again
   * @param taken runs once there is room for another: at once, but where very many wait to be
   *     removed
   */
  void remove(Path directory, boolean unused, Runnable taken) {
    boolean empty = takeBack(directory);
    if (unused && empty && aside.remainingCapacity() > 0) {
      try {
        Path free = Files.move(directory, nextAside(), StandardCopyOption.ATOMIC_MOVE);
        if (aside.offerFirst(free)) {
          taken.run();
        } else {
          removeLater(free, taken);
        }
        return;
      } catch (IOException e) {
        LOG.debugf("A temporary directory cannot be put aside: %s", e.getMessage());
      }
    }
    if (empty && directory.toFile().delete()) { // most are empty
      taken.run();
    } else {
      removeLater(directory, taken);
    }
  }

  /**
   * Takes the rights of its command from a directory. That waits for whoever keeps the directory
   * locked, and has no other directory locked meanwhile. Afterwards commands can enter it by no
   * path, so that they cannot keep it locked again, and it can be moved and removed, for which the
   * kernel locks the root as well (ADR 30). An ordinary user's commands can give it rights again.
   *
   * @return whether it holds nothing
   */
  private static boolean takeBack(Path directory) {
    int descriptor =
        LibC.open(
            directory.toString(),
            LibC.O_DIRECTORY | LibC.O_NOFOLLOW | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
    if (descriptor < 0) {
      return false;
    }
    try (FileFacts facts = new FileFacts()) {
      if (Accounts.isRoot()) {
        LibC.fchown(descriptor, 0, -1);
      }
      if (!facts.look(descriptor) || facts.permissions() != OWNER_ONLY) {
        LibC.fchmod(descriptor, OWNER_ONLY);
        return false; // it was changed, so it does not serve again
      }
    } finally {
      LibC.close(descriptor);
    }
    return isEmpty(directory);
  }

  /** Stops removing; what is left then is removed by the next start. */
  void removeAll() {
    remover.removeLast(root);
  }

  private Path nextAside() {
    return root.resolve(ASIDE + number.incrementAndGet());
  }

  /** A name that no earlier server has used. */
  private Path nextRemoving() {
    return root.resolve(REMOVING + System.nanoTime() + "-" + number.incrementAndGet());
  }

  private void makeRoot() throws IOException {
    TrustedPath.make(root);
    Files.setPosixFilePermissions(root, PassableParents.PERMISSIONS);
  }

  /** The innermost directory above that not everybody may pass through, or null. */
  static @Nullable Path shutParentOf(Path root) {
    for (Path one = root.toAbsolutePath().getParent(); one != null; one = one.getParent()) {
      try {
        if (!Files.getPosixFilePermissions(one).contains(PosixFilePermission.OTHERS_EXECUTE)) {
          return one;
        }
      } catch (IOException e) {
        return one;
      }
    }
    return null;
  }

  private static boolean isEmpty(Path directory) {
    try (OpenDirectory open = OpenDirectory.of(directory.toString())) {
      return open != null && open.isEmpty();
    }
  }

  /**
   * Has a directory that may be large removed by another thread, so that no spawn waits. It gets
   * another name in the same directory, for which the kernel does not lock it.
   */
  private void removeLater(Path directory, Runnable taken) {
    try {
      remover.add(Files.move(directory, nextRemoving(), StandardCopyOption.ATOMIC_MOVE), taken);
    } catch (NoSuchFileException e) {
      taken.run(); // it is gone, and its name may be another's directory soon
    } catch (IOException e) {
      remover.add(directory, taken); // where it is
    }
  }
}
