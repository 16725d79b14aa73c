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

  /** Whether it is of what we print, and not of the server. */
  boolean isOfOutput() {
    return exitCode == ExitCodes.READER_GONE || exitCode == ExitCodes.INCOMPLETE;
  }

  /** Whether another call would fail as this one did. */
  boolean endsAll() {
    return exitCode == ExitCodes.UNAVAILABLE || exitCode == ExitCodes.REFUSED;
  }
}
