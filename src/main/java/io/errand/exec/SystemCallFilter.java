package io.errand.exec;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * The filters of system calls for a sandbox, as files that bubblewrap reads (seccomp, classic BPF).
 * They refuse what namespaces do not keep apart: the kernel's keyrings, new user namespaces, files
 * by handle, and, where there is to be no network, every kind of socket but those of the network
 * namespace: a Unix socket with a path, or one to the host of a virtual machine, is reached from
 * any of them.
 */
final class SystemCallFilter {
  private static final int LOAD = 0x20;
  private static final int EQUAL = 0x15;
  private static final int AT_LEAST = 0x35;
  private static final int ANY_BIT = 0x45;
  private static final int AND = 0x54;
  private static final int RETURN = 0x06;
  private static final int ALLOW = 0x7fff0000;
  private static final int REFUSE = 0x00050000;
  private static final int EPERM = 1;
  private static final int ENOSYS = 38;
  private static final int EAFNOSUPPORT = 97;
  private static final int NUMBER = 0;
  private static final int ARCHITECTURE = 4;
  private static final int FIRST_ARGUMENT = 16;
  private static final int SECOND_ARGUMENT = 24;
  private static final int CLONE_NEWUSER = 0x10000000;
  private static final int SOCKET_TYPE = 0xf; // the rest are flags
  private static final int FIRST_OF_X32 = 0x40000000;
  private static final int MOST_BYTES = 1024;

  /**
   * The numbers of system calls: clone and unshare; socket; socketpair; then what is refused;
   * architecture.
   */
  private record Numbers(
      int architecture, int[] forking, int socket, int socketPair, int[] refused) {
    int userFaults() {
      return refused[6];
    }

    int joining() {
      return refused[0];
    }

    static @Nullable Numbers here() {
      return switch (System.getProperty("os.arch", "")) {
        // setns, add_key, request_key, keyctl, bpf, perf_event_open, userfaultfd, open_by_handle_at
        case "amd64", "x86_64" ->
            new Numbers(
                0xC000003E,
                new int[] {56, 272},
                41,
                53,
                new int[] {308, 248, 249, 250, 321, 298, 323, 304});
        case "aarch64" ->
            new Numbers(
                0xC00000B7,
                new int[] {220, 97},
                198,
                199,
                new int[] {268, 217, 218, 219, 280, 241, 282, 265});
        default -> null;
      };
    }
  }

  private static final int I386 = 0x40000003;
  private static final int[] FORKING_ON_I386 = {120, 310}; // clone, unshare
  private static final int USER_FAULTS_ON_I386 = 374;
  private static final int JOINING_ON_I386 = 346;
  private static final int CLONE_PARENT = 0x8000;
  private static final int SECCOMP_MODE_FILTER = 2;
  private static final int INSTRUCTION_BYTES = 8;
  private static final int CLONE3 = 435; // on every architecture
  private static final int IO_URING_SETUP = 425;

  private final ByteBuffer program = ByteBuffer.allocate(MOST_BYTES).order(ByteOrder.nativeOrder());

  private SystemCallFilter() {}

  /**
   * Writes a filter.
   *
   * @param file whose folder exists; it is opened with the rights of this process
   * @param network whether all sockets are allowed
   */
  static void write(Path file, boolean network) throws IOException {
    Numbers numbers = Numbers.here();
    if (numbers == null) {
      throw new IOException("No filter of system calls is known for this architecture");
    }
    SystemCallFilter filter = new SystemCallFilter();
    filter.build(numbers, network);
    Path partial = file.resolveSibling(file.getFileName() + "-partial");
    Files.deleteIfExists(partial);
    byte[] bytes = new byte[filter.program.position()];
    filter.program.flip().get(bytes);
    Files.createFile(
        partial,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(partial, bytes);
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /**
   * Has the kernel refuse three things to whatever the calling thread starts, for good. User
   * namespaces, new ones and those of other processes, such as a sandbox of the same account: in
   * one, a command could mount a FUSE file system and write to its output from a page of that, and
   * the kernel would let whoever reads the output wait without end. {@code userfaultfd(2)}, with
   * which a command could do the same. And {@code CLONE_PARENT}: the child of a command would be a
   * child of this process instead. For a thread with {@code CAP_SYS_ADMIN}; without it the kernel
   * would refuse set-uid programs as well.
   *
   * @return 0, or the error of {@code prctl(2)}
   */
  static int installOnThread() {
    Numbers numbers = Numbers.here();
    if (numbers == null) {
      return ENOSYS;
    }
    SystemCallFilter filter = new SystemCallFilter();
    filter.buildForCommands(numbers);
    int size = filter.program.position();
    try (Memory code = new Memory(size);
        Memory description = new Memory(16)) { // struct sock_fprog
      code.write(0, filter.program.array(), 0, size);
      description.setShort(0, (short) (size / INSTRUCTION_BYTES));
      description.setPointer(8, code);
      long address = Pointer.nativeValue(description);
      return LibC.prctl(LibC.PR_SET_SECCOMP, SECCOMP_MODE_FILTER, address, 0, 0) == 0
          ? 0
          : Native.getLastError();
    }
  }

  private void buildForCommands(Numbers numbers) {
    add(LOAD, 0, 0, ARCHITECTURE);
    add(EQUAL, 0, 24, numbers.architecture());
    add(LOAD, 0, 0, NUMBER);
    add(AT_LEAST, 0, 1, FIRST_OF_X32);
    add(RETURN, 0, 0, REFUSE | ENOSYS);
    refuse(numbers.userFaults(), EPERM);
    refuseJoining(numbers.joining());
    refuseNewParents(numbers.forking());
    add(EQUAL, 0, 22, I386);
    add(LOAD, 0, 0, NUMBER);
    refuse(USER_FAULTS_ON_I386, EPERM);
    refuseJoining(JOINING_ON_I386);
    refuseNewParents(FORKING_ON_I386);
    add(RETURN, 0, 0, ALLOW);
  }

  /**
   * 6 instructions. A call that names other kinds of namespaces only needs capabilities in the
   * caller's own user namespace, and set-uid programs such as {@code ip netns} make it.
   */
  private void refuseJoining(int call) {
    add(EQUAL, 0, 5, call);
    add(LOAD, 0, 0, SECOND_ARGUMENT);
    add(EQUAL, 1, 0, 0); // of whatever kind
    add(ANY_BIT, 0, 1, CLONE_NEWUSER);
    add(RETURN, 0, 0, REFUSE | EPERM);
    add(RETURN, 0, 0, ALLOW);
  }

  /** 13 instructions. */
  private void refuseNewParents(int[] forking) {
    refuse(CLONE3, ENOSYS); // its flags cannot be seen; all fall back to clone
    for (int call : forking) {
      add(EQUAL, 0, 4, call);
      add(LOAD, 0, 0, FIRST_ARGUMENT);
      add(ANY_BIT, 0, 1, CLONE_NEWUSER | CLONE_PARENT);
      add(RETURN, 0, 0, REFUSE | EPERM);
      add(RETURN, 0, 0, ALLOW);
    }
    add(RETURN, 0, 0, ALLOW);
  }

  private void build(Numbers numbers, boolean network) {
    add(LOAD, 0, 0, ARCHITECTURE);
    add(EQUAL, 1, 0, numbers.architecture());
    add(RETURN, 0, 0, REFUSE | ENOSYS); // other numbers mean other calls
    add(LOAD, 0, 0, NUMBER);
    add(AT_LEAST, 0, 1, FIRST_OF_X32);
    add(RETURN, 0, 0, REFUSE | ENOSYS);
    for (int call : numbers.refused()) {
      refuse(call, EPERM);
    }
    refuse(CLONE3, ENOSYS); // its flags cannot be seen; all fall back to clone
    for (int call : numbers.forking()) {
      add(EQUAL, 0, 4, call);
      add(LOAD, 0, 0, FIRST_ARGUMENT);
      add(ANY_BIT, 0, 1, CLONE_NEWUSER);
      add(RETURN, 0, 0, REFUSE | EPERM);
      add(RETURN, 0, 0, ALLOW);
    }
    if (!network) {
      refuse(IO_URING_SETUP, ENOSYS); // it makes sockets past this filter
      add(EQUAL, 0, 5, numbers.socket());
      add(LOAD, 0, 0, FIRST_ARGUMENT);
      add(EQUAL, 3, 0, 2); // AF_INET
      add(EQUAL, 2, 0, 10); // AF_INET6
      add(EQUAL, 1, 0, 16); // AF_NETLINK
      add(RETURN, 0, 0, REFUSE | EAFNOSUPPORT);
      // A connected one of another type, such as of datagrams, can still send to any path.
      add(LOAD, 0, 0, NUMBER);
      add(EQUAL, 0, 5, numbers.socketPair());
      add(LOAD, 0, 0, SECOND_ARGUMENT);
      add(AND, 0, 0, SOCKET_TYPE);
      add(EQUAL, 2, 0, 1); // SOCK_STREAM
      add(EQUAL, 1, 0, 5); // SOCK_SEQPACKET
      add(RETURN, 0, 0, REFUSE | EAFNOSUPPORT);
    }
    add(RETURN, 0, 0, ALLOW);
  }

  private void refuse(int call, int error) {
    add(EQUAL, 0, 1, call);
    add(RETURN, 0, 0, REFUSE | error);
  }

  private void add(int code, int jumpIfTrue, int jumpIfFalse, int value) {
    program.putShort((short) code).put((byte) jumpIfTrue).put((byte) jumpIfFalse).putInt(value);
  }
}
