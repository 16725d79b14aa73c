package io.errand.ops;

import io.errand.exec.HostCheck;

/**
 * {@code errand doctor}: looks at this host as a worker would, without a server. Exit status 0 if a
 * worker can run here, 1 if something that it cannot do without is missing.
 */
public final class Doctor {
  private Doctor() {}

  /** Prints what was found, one line each. */
  public static void main(String... arguments) {
    boolean fit = true;
    for (HostCheck.Finding finding : HostCheck.all()) {
      String problem = finding.problem();
      String verdict = problem == null ? "ok     " : finding.required() ? "MISSING" : "note   ";
      System.out.println(verdict + "  " + finding.name() + (problem == null ? "" : ": " + problem));
      fit &= problem == null || !finding.required();
    }
    System.out.println(
        fit ? "A worker can run here." : "A worker cannot run here: see what is MISSING.");
    System.exit(fit ? 0 : 1);
  }
}
