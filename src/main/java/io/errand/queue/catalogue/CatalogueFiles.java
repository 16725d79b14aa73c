package io.errand.queue.catalogue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Named commands that stand in files of the server. They are read at the start, where a fault stops
 * it, and again when one of the files has changed, where a fault is logged and the last good ones
 * are kept. Callers are one thread at a time, and wait for a bounded time.
 */
@ApplicationScoped
public class CatalogueFiles {
  private static final Logger LOG = Logger.getLogger(CatalogueFiles.class);
  private static final int MOST_FILES = 500;
  private static final int MOST_BYTES = 65_536;
  private static final int MOST_FAULTS = 20;
  private static final Pattern NAME =
      Pattern.compile("^([a-z0-9][a-z0-9._-]{0,63})\\.(?:yaml|yml|json)"); // of a NamedCommand
  private static final long MOST_WAIT_MILLIS = 2_000;
  private static final ThreadPoolExecutor READER = reader();
  private static final ObjectMapper JSON = mapper(new JsonFactory());
  private static final ObjectMapper YAML = mapper(new YAMLFactory());

  private final @Nullable Path directory;
  private final CommandDefaults defaults;
  private volatile Map<String, Seen> seen = Map.of();
  private volatile Map<String, NamedCommand> commands = Map.of();
  private @Nullable Future<?> refresh;

  CatalogueFiles(CatalogueConfig config, CommandDefaults defaults) {
    this.directory = config.catalogueDir().map(Path::of).orElse(null);
    this.defaults = defaults;
  }

  private static ThreadPoolExecutor reader() {
    ThreadPoolExecutor reader =
        new ThreadPoolExecutor(
            1,
            1,
            30,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(1),
            task -> {
              Thread thread = new Thread(task, "errand-catalogue-files");
              thread.setDaemon(true);
              return thread;
            });
    reader.allowCoreThreadTimeOut(true);
    return reader;
  }

  /** A file as it was when it was read. */
  private record Seen(Path path, FileTime changed, long bytes, @Nullable Object key) {}

  private static ObjectMapper mapper(JsonFactory factory) {
    factory.setStreamReadConstraints(
        StreamReadConstraints.builder()
            .maxNestingDepth(64)
            .maxNumberLength(100)
            .maxDocumentLength(MOST_BYTES)
            .build());
    return JsonMapper.builder(
            factory.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature()))
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
        .build();
  }

  /**
   * Reads the files.
   *
   * @throws IllegalStateException with a sentence, if one of them is wrong
   */
  void start(@Observes StartupEvent event) {
    if (directory != null) {
      try {
        Map<String, Seen> now = look(directory);
        commands = read(now);
        seen = now;
      } catch (IOException e) {
        throw new IllegalStateException(
            "ERRAND_CATALOGUE_DIR is '" + directory + "', which cannot be read: " + e, e);
      }
    }
  }

  /**
   * The commands by name; the same object as before where nothing has changed. The files are read
   * on a thread of its own. Where that takes long, the commands are those of before until it ends.
   */
  Map<String, NamedCommand> commands() {
    Path from = directory;
    if (from == null) {
      return commands;
    }
    try {
      if (refresh == null) {
        refresh = READER.submit(() -> refresh(from));
      }
      refresh.get(MOST_WAIT_MILLIS, TimeUnit.MILLISECONDS);
      refresh = null;
    } catch (TimeoutException | RejectedExecutionException e) {
      LOG.debugf("The files of the catalogue are being read: %s", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      refresh = null;
      LOG.error("The catalogue stays as it was", e.getCause());
    }
    return commands;
  }

  private void refresh(Path from) {
    try {
      Map<String, Seen> now = look(from);
      if (!now.equals(seen)) {
        Map<String, Seen> before = seen;
        seen = now; // a fault is logged once
        try {
          commands = read(now);
        } catch (PatternsBusyException e) {
          seen = before; // no fault of the files
          throw e;
        }
        LOG.infof("The catalogue has %d commands of %s", commands.size(), from);
      }
    } catch (IOException | IllegalStateException | PatternsBusyException e) {
      LOG.errorf("The catalogue stays as it was: %s", e.getMessage());
    }
  }

  /** Other names are no concern of ours: Kubernetes has some of its own, which begin with dots. */
  private static Map<String, Seen> look(Path directory) throws IOException {
    Map<String, Seen> files = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path path : entries) {
        Matcher name = NAME.matcher(path.getFileName().toString());
        if (!name.matches()) {
          continue;
        }
        BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class);
        Seen now = new Seen(path, file.lastModifiedTime(), file.size(), file.fileKey());
        Seen other = files.put(name.group(1), now);
        if (other != null) {
          throw new IOException("two files of one name: " + other.path() + " and " + path);
        }
        if (files.size() > MOST_FILES) {
          throw new IOException("more than " + MOST_FILES + " files in " + directory);
        }
      }
    }
    return files;
  }

  private Map<String, NamedCommand> read(Map<String, Seen> files) throws IOException {
    Map<String, NamedCommand> read = new TreeMap<>();
    List<String> faults = new ArrayList<>();
    for (Map.Entry<String, Seen> file : files.entrySet()) {
      Path path = file.getValue().path();
      Complaints complaints =
          (field, message) -> {
            if (faults.size() < MOST_FAULTS) {
              faults.add(path + ": " + field + " " + message);
            }
          };
      JsonNode definition = parse(path, complaints);
      NamedCommand command =
          definition == null
              ? null
              : NamedCommand.read(file.getKey(), NamedCommand.OF_FILE, definition, complaints);
      if (command != null) {
        defaults.check(command.defaults(), "defaults", complaints);
        read.put(file.getKey(), command);
      }
    }
    if (!faults.isEmpty()) {
      throw new IllegalStateException("Wrong in the catalogue: " + String.join("; ", faults));
    }
    return read;
  }

  private static @Nullable JsonNode parse(Path path, Complaints complaints) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(path)) {
      bytes = in.readNBytes(MOST_BYTES + 1);
    }
    if (bytes.length > MOST_BYTES) {
      complaints.add("it", "has more than " + MOST_BYTES + " bytes");
      return null;
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return (path.toString().endsWith(".json") ? JSON : YAML).readTree(text);
    } catch (CharacterCodingException e) {
      complaints.add("it", "is not UTF-8");
    } catch (NumberFormatException e) { // of the parser, which declares it not
      complaints.add("it", "holds a number whose exponent is too large");
    } catch (JsonProcessingException e) {
      complaints.add(
          "it", "cannot be read: " + e.getOriginalMessage().lines().findFirst().orElse(""));
    }
    return null;
  }
}
