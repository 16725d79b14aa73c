package io.errand.server;

import com.google.protobuf.InvalidProtocolBufferException;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/** Receives spans by OTLP, over gRPC and over HTTP on one port. */
final class OtlpReceiver implements AutoCloseable {
  private static final int FRAME = 5; // of gRPC: whether it is compressed, and the length

  private final Vertx vertx = Vertx.vertx();
  private final HttpServer server;
  private final List<Received> spans = new CopyOnWriteArrayList<>();

  /** A span as it came; ids are in hexadecimal digits. */
  record Received(Span span, Map<String, String> resource) {
    String name() {
      return span.getName();
    }

    String trace() {
      return hex(span.getTraceId());
    }

    String id() {
      return hex(span.getSpanId());
    }

    String parent() {
      return hex(span.getParentSpanId());
    }

    /** The ids of trace and span of each link. */
    List<String> links() {
      return span.getLinksList().stream()
          .map(link -> hex(link.getTraceId()) + " " + hex(link.getSpanId()))
          .toList();
    }

    String attribute(String key) {
      return text(span.getAttributesList()).getOrDefault(key, "");
    }

    boolean isError() {
      return span.getStatus().getCode() == Status.StatusCode.STATUS_CODE_ERROR;
    }
  }

  private OtlpReceiver() {
    server =
        vertx
            .createHttpServer()
            .requestHandler(this::handle)
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
  }

  static OtlpReceiver start() {
    return new OtlpReceiver();
  }

  String url() {
    return "http://127.0.0.1:" + server.actualPort();
  }

  private void handle(HttpServerRequest request) {
    boolean isGrpc = request.path().endsWith("TraceService/Export");
    request.bodyHandler(
        body -> {
          HttpServerResponse response = request.response();
          if (isGrpc) {
            read(body.getBytes(FRAME, body.length()));
            response
                .putHeader("content-type", "application/grpc")
                .putTrailer("grpc-status", "0")
                .end(Buffer.buffer(new byte[FRAME])); // an empty message
          } else {
            read(body.getBytes());
            response.putHeader("content-type", "application/x-protobuf").end();
          }
        });
  }

  private void read(byte[] message) {
    try {
      ExportTraceServiceRequest.parseFrom(message)
          .getResourceSpansList()
          .forEach(
              of ->
                  of.getScopeSpansList()
                      .forEach(
                          scope ->
                              scope
                                  .getSpansList()
                                  .forEach(
                                      span ->
                                          spans.add(
                                              new Received(
                                                  span,
                                                  text(of.getResource().getAttributesList()))))));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, String> text(List<KeyValue> attributes) {
    return attributes.stream()
        .collect(
            Collectors.toMap(
                KeyValue::getKey,
                one ->
                    one.getValue().hasIntValue()
                        ? Long.toString(one.getValue().getIntValue())
                        : one.getValue().getStringValue()));
  }

  private static String hex(com.google.protobuf.ByteString bytes) {
    return HexFormat.of().formatHex(bytes.toByteArray());
  }

  /** All that has come. */
  List<Received> spans() {
    return List.copyOf(spans);
  }

  /** The spans of a trace, by their ends, once there are so many. */
  List<Received> await(String trace, int count) {
    return await(one -> one.trace().equals(trace), count);
  }

  List<Received> await(Predicate<Received> wanted, int count) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(90))
        .until(() -> spans.stream().filter(wanted).count() >= count);
    return spans.stream()
        .filter(wanted)
        .sorted(
            (a, b) -> Long.compare(a.span().getEndTimeUnixNano(), b.span().getEndTimeUnixNano()))
        .toList();
  }

  @Override
  public void close() {
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }
}
