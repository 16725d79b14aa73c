package io.errand.api.answer;

import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.ext.Provider;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.annotation.Annotation;
import java.lang.reflect.Type;
import org.jboss.resteasy.reactive.server.spi.ResteasyReactiveResourceInfo;
import org.jboss.resteasy.reactive.server.spi.ServerMessageBodyWriter;
import org.jboss.resteasy.reactive.server.spi.ServerRequestContext;
import org.jboss.resteasy.reactive.server.vertx.VertxResteasyReactiveRequestContext;

/** Sends a {@link AnswerBody} by the piece, past the framework's copies. */
@Provider
public class AnswerBodyWriter implements ServerMessageBodyWriter<AnswerBody> {
  @Override
  public boolean isWriteable(
      Class<?> type, Type genericType, ResteasyReactiveResourceInfo target, MediaType mediaType) {
    return type == AnswerBody.class;
  }

  @Override
  public boolean isWriteable(
      Class<?> type, Type genericType, Annotation[] annotations, MediaType mediaType) {
    return type == AnswerBody.class;
  }

  @Override
  public void writeResponse(AnswerBody body, Type genericType, ServerRequestContext context) {
    body.sendTo(((VertxResteasyReactiveRequestContext) context).getContext());
  }

  @Override
  public void writeTo(
      AnswerBody body,
      Class<?> type,
      Type genericType,
      Annotation[] annotations,
      MediaType mediaType,
      MultivaluedMap<String, Object> headers,
      OutputStream out)
      throws IOException {
    throw new IOException("An answer is sent to a socket only");
  }
}
