package io.errand.job;

import java.util.List;

/**
 * What a command may reach.
 *
 * @param network whether it has the network of the host; else none at all
 * @param readOnly whether the file system is read-only but for what is writable
 * @param writable absolute paths that it may write to all the same
 */
public record Sandbox(boolean network, boolean readOnly, List<String> writable) {
  /** Takes a copy. */
  public Sandbox {
    writable = List.copyOf(writable);
  }
}
