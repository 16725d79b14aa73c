package io.errand.traces;

import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The SDK of OpenTelemetry, as its standard variables of the environment configure it ({@code
 * OTEL_…}). Spans wait for the exporter in a queue with a bound, and are dropped where it is full.
 */
final class Sdk {
  private static final int SHUTDOWN_SECONDS = 5;

  final Tracer tracer;
  final Sampler sampler;
  final Ids ids;
  private final OpenTelemetrySdk sdk;

  private Sdk(OpenTelemetrySdk sdk, Sampler sampler, Ids ids, String version) {
    this.sdk = sdk;
    this.sampler = sampler;
    this.ids = ids;
    tracer = sdk.getTracer("io.errand", version);
  }

  /** Whether these variables of the environment name an exporter. */
  static boolean isWanted(Map<String, String> environment) {
    String exporter = environment.getOrDefault("OTEL_TRACES_EXPORTER", "").strip();
    boolean isNamed =
        !exporter.isEmpty()
            || isSet(environment, "OTEL_EXPORTER_OTLP_ENDPOINT")
            || isSet(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    boolean isOff =
        exporter.equals("none")
            || environment
                .getOrDefault("OTEL_SDK_DISABLED", "")
                .strip()
                .toLowerCase(Locale.ROOT)
                .equals("true");
    return isNamed && !isOff;
  }

  private static boolean isSet(Map<String, String> environment, String name) {
    return !environment.getOrDefault(name, "").isBlank();
  }

  /**
   * Starts it.
   *
   * @param version of Errand
   * @param host of this process, or null
   * @throws IllegalArgumentException with a sentence, if a variable makes no sense
   */
  static Sdk start(MeterRegistry registry, String version, @Nullable String host) {
    AtomicReference<Sampler> chosen = new AtomicReference<>(Sampler.alwaysOff());
    Ids ids = new Ids();
    try {
      OpenTelemetrySdk sdk =
          AutoConfiguredOpenTelemetrySdk.builder()
              .disableShutdownHook()
              .addPropertiesSupplier(() -> Map.of("otel.service.name", "errand"))
              .addPropertiesCustomizer(
                  config -> Map.of("otel.metrics.exporter", "none", "otel.logs.exporter", "none"))
              .addResourceCustomizer((resource, config) -> ofProcess(version, host).merge(resource))
              .addSamplerCustomizer(
                  (sampler, config) -> {
                    chosen.set(sampler);
                    return sampler;
                  })
              .addSpanExporterCustomizer((exporter, config) -> new Exporting(exporter, registry))
              .addTracerProviderCustomizer((provider, config) -> provider.setIdGenerator(ids))
              .build()
              .getOpenTelemetrySdk();
      return new Sdk(sdk, Objects.requireNonNull(chosen.get()), ids, version);
    } catch (ConfigurationException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "Traces cannot be exported as the variables OTEL_… say: " + e.getMessage());
    }
  }

  private static Resource ofProcess(String version, @Nullable String host) {
    AttributesBuilder attributes =
        Attributes.builder()
            .put("service.version", version)
            .put("service.instance.id", UUID.randomUUID().toString())
            .put("process.pid", ProcessHandle.current().pid());
    if (host != null) {
      attributes.put("host.name", host);
    }
    return Resource.create(attributes.build());
  }

  /** Exports what waits, for at most {@value #SHUTDOWN_SECONDS} seconds. */
  void close() {
    sdk.shutdown().join(SHUTDOWN_SECONDS, TimeUnit.SECONDS);
  }
}
