package io.errand.exec;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A program of {@code src/test/native}, compiled once, for every account; the test is skipped
 * without a compiler.
 */
public final class NativeProgram {
  private NativeProgram() {}

  /** The path of the compiled program. */
  public static String of(String name, Path folder) {
    Path program = folder.resolve(name);
    try {
      Process compiler =
          new ProcessBuilder(
                  "cc",
                  "-O1",
                  "-o",
                  program.toString(),
                  "src/test/native/" + name + ".c",
                  "-lpthread")
              .inheritIO()
              .start();
      assumeTrue(compiler.waitFor() == 0, "cc does not compile " + name);
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException | InterruptedException e) {
      assumeTrue(Files.exists(program), "no C compiler: " + e);
    }
    return program.toString();
  }
}
