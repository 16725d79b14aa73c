package io.errand.cli;

import java.util.List;

/** The client cannot go on: a sentence for stderr and an exit status. */
@SuppressWarnings("serial") // never serialised by Java
final class ClientException extends RuntimeException {
  private final int exitCode;
  private final List<FieldError> errors;

  /** What the server says of one field of a request. */
  record FieldError(String field, String message) {}

  ClientException(int exitCode, String message) {
    this(exitCode, message, List.of());
  }

  ClientException(int exitCode, String message, List<FieldError> errors) {
    super(message, null, false, false);
    this.exitCode = exitCode;
    this.errors = List.copyOf(errors);
  }

  int exitCode() {
    return exitCode;
  }

  /** What is wrong with the fields of a request, where the server says so. */
  List<FieldError> errors() {
    return errors;
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
