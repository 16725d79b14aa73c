package io.errand.embedded;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** One server for one data directory. The kernel gives the lock back however the process ends. */
public final class HomeLock implements AutoCloseable {
  private static final int MOST_SHARING = 1_000;
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  /** A channel that is collected gives its lock back. */
  private static final List<FileChannel> TAKEN = new CopyOnWriteArrayList<>();

  private final FileChannel channel;

  private HomeLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock.
   *
   * @param home an existing directory
   * @throws IllegalStateException with a sentence for people, if another server has it
   */
  public static HomeLock take(Path home) throws IOException {
    Path file = home.resolve("lock");
    FileChannel channel = open(file);
    if (tryLock(channel) == null) {
      channel.close();
      throw new IllegalStateException(
          "Another Errand server (pid "
              + Files.readString(file).trim()
              + ") runs on "
              + home
              + "; stop it, or set ERRAND_HOME to another directory");
    }
    channel.truncate(0);
    byte[] pid = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
    channel.write(ByteBuffer.wrap(pid));
    return new HomeLock(channel);
  }

  /**
   * Takes a directory among those of other servers, for one that has it to itself: the first of
   * {@code NAME}, {@code NAME-1} and so on that no living server has. What a dead one left there is
   * the new owner's.
   *
   * @param folder that servers share; made if it is missing, for everybody to pass through
   * @param name of the directory; the lock is a file beside it
   * @return the directory, which may not exist yet; the lock is held until this process ends
   * @throws IllegalStateException with a sentence, if {@value #MOST_SHARING} are taken
   */
  public static Path takeOneOf(Path folder, String name) throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder);
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }
    for (int i = 0; i < MOST_SHARING; i++) {
      String candidate = i == 0 ? name : name + "-" + i;
      FileChannel channel;
      try {
        channel = open(folder.resolve(candidate + ".lock"));
      } catch (FileSystemException e) {
        continue; // it is another account's, or a link
      }
      if (tryLock(channel) != null) {
        TAKEN.add(channel);
        return folder.resolve(candidate);
      }
      channel.close();
    }
    throw new IllegalStateException(
        MOST_SHARING
            + " servers use "
            + folder
            + " already, or it cannot be written to; set ERRAND_TEMPORARY_DIRECTORY to another");
  }

  /**
   * Whoever may open a file for reading can keep others from locking it. So nobody else may open
   * this one, whatever the umask, nor one that an earlier build has made.
   */
  private static FileChannel open(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file,
            Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
            PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    try {
      PosixFileAttributeView view =
          Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
      boolean single =
          (Integer) Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS) == 1;
      if (single && !view.readAttributes().permissions().equals(OWNER_ONLY)) {
        Files.setPosixFilePermissions(file, OWNER_ONLY);
      }
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // held by this very process
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
