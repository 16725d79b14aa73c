package io.errand.server;

/** A client of a server with another key than that of its administrator. */
final class WithKey extends ApiClient {
  private final TestServer server;
  private final String key;

  WithKey(TestServer server, String key) {
    this.server = server;
    this.key = key;
  }

  /** With a new key. */
  static WithKey of(TestServer server, String role, String project) {
    String body = "{\"name\":\"%s of %s\",\"role\":\"%1$s\",\"project\":\"%2$s\"}";
    return new WithKey(
        server,
        TestServer.json(server.post("/v1/keys", body.formatted(role, project)))
            .get("key")
            .asText());
  }

  @Override
  public String url() {
    return server.url();
  }

  @Override
  public String token() {
    return key;
  }
}
