package io.errand.disk;

/** A file system of the server has less free space than it must keep; nothing was stored. */
@SuppressWarnings("serial") // never serialised by Java
public final class NoSpace extends RuntimeException {
  NoSpace() {
    super(
        "The server has too little free disk space; nothing was stored, so repeat it",
        null,
        false,
        false);
  }
}
