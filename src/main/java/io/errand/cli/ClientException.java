package io.errand.cli;

/** The client cannot go on: a sentence for stderr and an exit status. */
@SuppressWarnings("serial") // never serialised by Java
final class ClientException extends RuntimeException {
  private final int exitCode;

  ClientException(int exitCode, String message) {
    super(message, null, false, false);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }
}
