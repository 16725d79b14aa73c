package io.errand.traces;

import io.errand.job.TraceContext;
import io.prometheus.client.exemplars.DefaultExemplarSampler;
import io.prometheus.client.exemplars.ExemplarSampler;
import io.prometheus.client.exemplars.tracer.common.SpanContextSupplier;
import jakarta.annotation.Priority;
import jakarta.enterprise.inject.Alternative;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The span that what is measured now on a thread belongs to. Histograms show its trace as an
 * exemplar.
 */
@Singleton
public class MeasuredSpan {
  private static final ThreadLocal<@Nullable TraceContext> NOW = new ThreadLocal<>();

  /** Where no span is made, the registry asks for none. */
  @Produces
  @Singleton
  @Alternative
  @Priority(1)
  Optional<ExemplarSampler> sampler() {
    return Traces.isWanted()
        ? Optional.of(new DefaultExemplarSampler(new OfThisThread()))
        : Optional.empty();
  }

  /**
   * Measures.
   *
   * @param span that it belongs to, or null
   */
  public static void with(@Nullable TraceContext span, Runnable measure) {
    if (span == null || !span.isSampled()) {
      measure.run();
      return;
    }
    NOW.set(span);
    try {
      measure.run();
    } finally {
      NOW.remove();
    }
  }

  private static final class OfThisThread implements SpanContextSupplier {
    @Override
    public @Nullable String getTraceId() {
      TraceContext span = NOW.get();
      return span == null ? null : span.traceId();
    }

    @Override
    public @Nullable String getSpanId() {
      TraceContext span = NOW.get();
      return span == null ? null : span.spanId();
    }

    @Override
    public boolean isSampled() {
      return NOW.get() != null;
    }
  }
}
