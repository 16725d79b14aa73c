package io.errand.vault;

import java.io.IOException;

/** Vault has refused a request, or has not answered it. The message holds no secret. */
@SuppressWarnings("serial") // never serialised
public final class VaultException extends IOException {
  private final int status;

  VaultException(int status, String message) {
    super(message);
    this.status = status;
  }

  /** The status of the answer, or 0 where none came. */
  public int status() {
    return status;
  }

  /** Whether Vault has answered that it will not: a repeat of the request would be refused, too. */
  public boolean isRefusal() {
    return status >= 400 && status < 500 && status != 429;
  }
}
