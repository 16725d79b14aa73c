package io.errand.cli;

/** What requests are sent with. */
interface Credential {
  /** The text for the next request, empty for none. */
  String text();

  /** The token of a login, which is renewed as it ends. */
  static Credential of(SavedLogin login) {
    return new Credential() {
      private SavedLogin latest = login; // guarded by this

      @Override
      public synchronized String text() {
        latest = latest.current();
        return Http.header(latest.accessToken());
      }
    };
  }
}
