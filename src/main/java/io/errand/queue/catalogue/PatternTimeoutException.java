package io.errand.queue.catalogue;

/** A pattern has been compiled or matched for so long that its thread was given up. */
@SuppressWarnings("serial") // never serialised by Java
final class PatternTimeoutException extends PatternsBusyException {}
