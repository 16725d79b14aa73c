package io.errand.queue.catalogue;

import com.fasterxml.jackson.databind.JsonNode;

/** Checks the defaults of a named command by the rules of every submit. */
public interface CommandDefaults {
  /** Complains about each field that is wrong. */
  void check(JsonNode defaults, String path, Complaints complaints);
}
