package io.errand.auth;

/** What a route asks of its caller. */
public enum Permission {
  /** To see what the caller may see. */
  SEE,
  /** To submit jobs, and to change one's own. */
  SUBMIT,
  /** To change how a project works: queues, circuits. */
  OPERATE,
  /** To decide who may do what: keys, projects, commands, the audit. */
  ADMINISTER
}
