package io.errand;

import io.quarkus.bootstrap.runner.QuarkusEntryPoint;
import io.quarkus.bootstrap.runner.RunnerClassLoader;
import io.quarkus.bootstrap.runner.SerializedApplication;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Starts the server where the framework's own entry point cannot: it reads a plus sign in the path
 * of the installation as a blank.
 */
public final class Launch {
  private Launch() {}

  /**
   * Loads the application and runs its main method.
   *
   * @param arguments the directory of the application, then those of the server
   */
  public static void main(String... arguments) throws IOException, ReflectiveOperationException {
    Path root = Path.of(arguments[0]);
    try (InputStream index =
        new BufferedInputStream(
            Files.newInputStream(root.resolve(QuarkusEntryPoint.QUARKUS_APPLICATION_DAT)))) {
      SerializedApplication application = SerializedApplication.read(index, root);
      RunnerClassLoader loader = application.getRunnerClassLoader();
      Thread.currentThread().setContextClassLoader(loader);
      loader
          .loadClass(application.getMainClass())
          .getMethod("main", String[].class)
          .invoke(null, (Object) Arrays.copyOfRange(arguments, 1, arguments.length));
    }
  }
}
