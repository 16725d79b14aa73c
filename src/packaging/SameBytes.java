import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Runs Maven so that Quarkus writes the same program in each build (ADR 54): {@code java OPTIONS
 * SameBytes.java MAVEN PROJECT PROGRAM ARGUMENT...} with the directories of Maven, of the project
 * and of the program that the arguments have Quarkus write.
 *
 * <p>What Quarkus generates follows the order of sets and maps. Three things draw that order anew
 * in each JVM: the hash codes of objects without one of their own, which the options of the caller
 * make equal; the salt of {@code Set.of} and {@code Map.of}, which is set here; and a counter that
 * parallel build steps share. What it has counted is counted again here, in the order of the names
 * of classes.
 */
public final class SameBytes {
  private static final String COUNTED = "proxykey";
  private static final int MAGIC = 0xCAFEBABE;
  private static final int UTF8 = 1;

  private final Map<String, String> counted = new HashMap<>();

  private SameBytes() {}

  /** Ends with the status of Maven. */
  public static void main(String[] arguments) throws Exception {
    fixOrder();
    Path program = Path.of(arguments[2]);
    int status =
        maven(
            Path.of(arguments[0]),
            arguments[1],
            Arrays.copyOfRange(arguments, 3, arguments.length));
    if (status == 0) {
      new SameBytes().countAgain(program.resolve("quarkus/generated-bytecode.jar"));
    }
    System.exit(status);
  }

  /**
   * The options of the caller keep the methods that read these from being compiled, which would
   * copy the values.
   */
  private static void fixOrder() throws ReflectiveOperationException {
    set("SALT32L", long.class, 0L);
    set("REVERSE", boolean.class, false);
  }

  private static void set(String name, Class<?> type, Object value)
      throws ReflectiveOperationException {
    Class<?> unsafe = Class.forName("sun.misc.Unsafe"); // by name, as the compiler warns of it
    Field theOne = unsafe.getDeclaredField("theUnsafe");
    theOne.setAccessible(true);
    Object one = theOne.get(null);
    Field field = Class.forName("java.util.ImmutableCollections").getDeclaredField(name);
    Object base = unsafe.getMethod("staticFieldBase", Field.class).invoke(one, field);
    Object offset = unsafe.getMethod("staticFieldOffset", Field.class).invoke(one, field);
    String put = type == long.class ? "putLong" : "putBoolean";
    unsafe.getMethod(put, Object.class, long.class, type).invoke(one, base, offset, value);
  }

  /** As the script mvn does it. */
  private static int maven(Path home, String project, String[] arguments) throws Exception {
    System.setProperty("maven.home", home.toString());
    System.setProperty("maven.multiModuleProjectDirectory", project);
    System.setProperty("classworlds.conf", home.resolve("bin/m2.conf").toString());
    try (DirectoryStream<Path> jars =
        Files.newDirectoryStream(home.resolve("boot"), "plexus-classworlds-*.jar")) {
      URLClassLoader loader =
          new URLClassLoader(
              new URL[] {jars.iterator().next().toUri().toURL()},
              ClassLoader.getPlatformClassLoader());
      Thread.currentThread().setContextClassLoader(loader);
      return (int)
          loader
              .loadClass("org.codehaus.plexus.classworlds.launcher.Launcher")
              .getMethod("mainWithExitCode", String[].class)
              .invoke(null, (Object) arguments);
    }
  }

  /** Names are keys of one map at runtime, so that only their equality counts. */
  private void countAgain(Path jar) throws IOException {
    Path written = jar.resolveSibling("generated-bytecode.partial");
    try (ZipFile from = new ZipFile(jar.toFile());
        ZipOutputStream to = new ZipOutputStream(Files.newOutputStream(written))) {
      List<? extends ZipEntry> entries =
          from.stream().sorted(Comparator.comparing(ZipEntry::getName)).toList();
      for (ZipEntry entry : entries) {
        byte[] bytes;
        try (InputStream in = from.getInputStream(entry)) {
          bytes = in.readAllBytes();
        }
        ZipEntry copy = new ZipEntry(entry);
        copy.setCompressedSize(-1); // as it comes out
        to.putNextEntry(copy);
        to.write(entry.getName().endsWith(".class") ? countedAgain(bytes) : bytes);
        to.closeEntry();
      }
    }
    Files.move(written, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  /** A class with other names in its pool of constants. */
  private byte[] countedAgain(byte[] bytes) throws IOException {
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        DataOutputStream out = new DataOutputStream(written)) {
      if (in.readInt() != MAGIC) {
        return bytes;
      }
      out.writeInt(MAGIC);
      out.writeInt(in.readInt()); // the version
      int constants = in.readUnsignedShort();
      out.writeShort(constants);
      for (int i = 1; i < constants; i++) {
        int tag = in.readUnsignedByte();
        out.writeByte(tag);
        switch (tag) {
          case UTF8 -> {
            byte[] text = in.readNBytes(in.readUnsignedShort());
            byte[] other = countedAgain(new String(text, StandardCharsets.ISO_8859_1), text);
            out.writeShort(other.length);
            out.write(other);
          }
          case 7, 8, 16, 19, 20 -> copy(in, out, 2);
          case 15 -> copy(in, out, 3);
          case 3, 4, 9, 10, 11, 12, 17, 18 -> copy(in, out, 4);
          case 5, 6 -> {
            copy(in, out, 8);
            i++; // they take two places
          }
          default -> throw new IOException("a constant of the kind " + tag);
        }
      }
      in.transferTo(out);
    }
    return written.toByteArray();
  }

  private byte[] countedAgain(String text, byte[] bytes) {
    return text.matches(COUNTED + "[0-9]+")
        ? counted
            .computeIfAbsent(text, name -> COUNTED + (counted.size() + 1))
            .getBytes(StandardCharsets.ISO_8859_1)
        : bytes;
  }

  private static void copy(InputStream in, OutputStream out, int length) throws IOException {
    out.write(in.readNBytes(length));
  }
}
