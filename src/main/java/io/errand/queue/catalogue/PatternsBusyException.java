package io.errand.queue.catalogue;

/** So many patterns are compiled or matched that this one would have to wait; nothing was done. */
@SuppressWarnings("serial") // never serialised by Java
public class PatternsBusyException extends RuntimeException {
  PatternsBusyException() {
    super("Too many patterns are compiled or matched at the moment", null, false, false);
  }
}
