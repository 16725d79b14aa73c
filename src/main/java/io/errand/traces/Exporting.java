package io.errand.traces;

import io.errand.meters.Metric;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;

/**
 * Counts what an exporter does with spans. That the receiver is away is said once, and once that it
 * is there again.
 */
final class Exporting implements SpanExporter {
  // The category stays the one that operators filter by.
  private static final Logger LOG = Logger.getLogger(Traces.class);

  private final SpanExporter exporter;
  private final Counter exported;
  private final Counter failed;
  private final AtomicBoolean away = new AtomicBoolean();

  Exporting(SpanExporter exporter, MeterRegistry registry) {
    this.exporter = exporter;
    exported = exported(registry);
    failed = failed(registry);
  }

  /** Shows that nothing was exported yet. */
  static void show(MeterRegistry registry) {
    exported(registry);
    failed(registry);
  }

  private static Counter exported(MeterRegistry registry) {
    return Metric.SPANS.counter(registry, "exported");
  }

  private static Counter failed(MeterRegistry registry) {
    return Metric.SPANS.counter(registry, "failed");
  }

  @Override
  public CompletableResultCode export(Collection<SpanData> spans) {
    int size = spans.size();
    CompletableResultCode result = exporter.export(spans);
    result.whenComplete(
        () -> {
          (result.isSuccess() ? exported : failed).increment(size);
          note(result);
        });
    return result;
  }

  private void note(CompletableResultCode result) {
    if (result.isSuccess()) {
      if (away.compareAndSet(true, false)) {
        LOG.info("The receiver of traces takes spans again");
      }
    } else if (away.compareAndSet(false, true)) {
      Throwable fault = result.getFailureThrowable();
      LOG.warnf(
          "Spans cannot be exported and are dropped, until the receiver of traces takes them again:"
              + " %s",
          fault == null ? "it gives no reason" : fault);
    }
  }

  @Override
  public CompletableResultCode flush() {
    return exporter.flush();
  }

  @Override
  public CompletableResultCode shutdown() {
    return exporter.shutdown();
  }
}
