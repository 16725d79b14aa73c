package io.errand.api.request;

import io.errand.network.Networks;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import jakarta.enterprise.context.ApplicationScoped;

/** Finds out how clients have reached this server. */
@ApplicationScoped
class Origins {
  private final Networks trusted;

  Origins(ApiConfig config) {
    this.trusted = config.trustedNetworks();
  }

  /** That of a request: its headers say something only if they come from a trusted address. */
  Origin of(HttpServerRequest request) {
    SocketAddress peer = request.remoteAddress();
    String address = peer == null || peer.hostAddress() == null ? "" : peer.hostAddress();
    Origin direct = new Origin(request.isSSL(), request.getHeader("Host"), "", address);
    byte[] bytes = trusted.list().isEmpty() ? null : Networks.address(address);
    return bytes == null || !trusted.hold(bytes)
        ? direct
        : new Forwarded(trusted).origin(direct, request.headers());
  }
}
