package io.errand.meters;

/** Which processes have a meter. */
enum Scope {
  /** Those with the role worker. */
  WORKER("worker"),
  /** All of them. */
  PROCESS("process"),
  /** All of them, and each shows the same: what it read of the database the last time. */
  DATABASE("database");

  final String word;

  Scope(String word) {
    this.word = word;
  }
}
