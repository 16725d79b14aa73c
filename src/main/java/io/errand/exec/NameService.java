package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The accounts of this host, asked of the C library, which asks whatever {@code nsswitch.conf}
 * names. That can be a server elsewhere, so a question can take long.
 */
final class NameService {
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,10}");
  private static final long NO_NUMBER = 0xffff_ffffL; // means "as it is" to the kernel
  private static final int LEAST_BYTES = 4096;
  private static final int MOST_BYTES = 1 << 20;
  private static final int FIRST_GROUPS = 64;
  private static final int MOST_GROUPS = 65_536;

  // struct passwd of glibc on 64-bit Linux
  private static final int ENTRY_SIZE = 48;
  private static final int NAME = 0;
  private static final int UID = 16;
  private static final int GID = 20;
  private static final int HOME = 32;
  private static final int SHELL = 40;

  private NameService() {}

  /** The host cannot say now whether it knows an account. */
  static final class UnavailableException extends Exception {
    private static final long serialVersionUID = 1;

    UnavailableException(String message) {
      super(message);
    }
  }

  /** A call of the C library that looks for one entry. */
  private interface Question {
    int ask(Pointer entry, Pointer texts, long size, long[] found);
  }

  /** The account of that name; where no account has the name, the one of that number; or null. */
  static @Nullable Account find(String name) throws UnavailableException {
    Account named;
    try (Memory text = text(name)) {
      named =
          answer(
              (entry, texts, size, found) -> LibC.getpwnam_r(text, entry, texts, size, found),
              name);
    }
    if (named != null || !NUMBER.matcher(name).matches()) {
      return named;
    }
    long number = Long.parseLong(name);
    return number < NO_NUMBER ? of((int) number) : null;
  }

  /** The account of that number, or null. */
  static @Nullable Account of(int uid) throws UnavailableException {
    return answer(
        (entry, texts, size, found) -> LibC.getpwuid_r(uid, entry, texts, size, found),
        "uid " + uid);
  }

  private static @Nullable Account answer(Question question, String who)
      throws UnavailableException {
    long[] found = new long[1];
    try (Memory entry = new Memory(ENTRY_SIZE)) {
      for (int size = LEAST_BYTES; size <= MOST_BYTES; size *= 4) {
        try (Memory texts = new Memory(size)) {
          int error = question.ask(entry, texts, size, found);
          while (error == LibC.EINTR) {
            error = question.ask(entry, texts, size, found);
          }
          if (error != LibC.ERANGE) {
            return found[0] == 0 ? nobody(error, who) : account(entry);
          }
        }
      }
    }
    throw new UnavailableException("the entry of " + who + " is too long");
  }

  private static @Nullable Account nobody(int error, String who) throws UnavailableException {
    return switch (error) {
      // See getpwnam(3): these stand for an account that is not there.
      case 0, LibC.ENOENT, LibC.ESRCH, LibC.EBADF, LibC.EPERM -> null;
      default ->
          throw new UnavailableException(
              "this host cannot say now who " + who + " is: " + LibC.strerror(error));
    };
  }

  private static Account account(Memory entry) throws UnavailableException {
    String name = string(entry.getPointer(NAME));
    int uid = entry.getInt(UID);
    int gid = entry.getInt(GID);
    if (uid == (int) NO_NUMBER || gid == (int) NO_NUMBER) {
      throw new UnavailableException("the number of " + name + " is one that nobody can have");
    }
    String shell = string(entry.getPointer(SHELL));
    String home = string(entry.getPointer(HOME));
    return new Account(
        name,
        uid,
        gid,
        groups(entry.getPointer(NAME), gid, name),
        home.isEmpty() ? "/" : home,
        shell.isEmpty() ? Account.USUAL_SHELL : shell);
  }

  /** All of them, as {@code initgroups(3)} would set them. */
  private static List<Integer> groups(Pointer name, int gid, String who)
      throws UnavailableException {
    int[] count = {FIRST_GROUPS};
    for (int room = FIRST_GROUPS; room <= MOST_GROUPS; room = Math.max(count[0], room * 2)) {
      count[0] = room;
      try (Memory groups = new Memory(4L * room)) {
        if (LibC.getgrouplist(name, gid, groups, count) >= 0) {
          List<Integer> numbers = new ArrayList<>(count[0]);
          for (int i = 0; i < count[0]; i++) {
            numbers.add(groups.getInt(4L * i));
          }
          return List.copyOf(numbers);
        }
      }
    }
    throw new UnavailableException(who + " is in more groups than the kernel takes");
  }

  private static Memory text(String string) {
    byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
    Memory memory = new Memory(bytes.length + 1L);
    memory.write(0, bytes, 0, bytes.length);
    memory.setByte(bytes.length, (byte) 0);
    return memory;
  }

  private static String string(@Nullable Pointer text) {
    return text == null ? "" : text.getString(0, "UTF-8");
  }
}
