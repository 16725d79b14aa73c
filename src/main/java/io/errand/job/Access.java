package io.errand.job;

import org.jspecify.annotations.Nullable;

/**
 * Which jobs a caller may see and change, and who the caller is.
 *
 * @param project the project whose things it sees; those of others do not exist for it
 * @param owner the principal whose things it sees, or null for all of the project
 * @param principal who the caller is, and whom what it submits belongs to
 */
public record Access(String project, @Nullable String owner, String principal) {
  /** All of a project. */
  public static Access toProject(String project, String principal) {
    return new Access(project, null, principal);
  }

  /** What the caller has submitted itself. */
  public static Access toOwn(String project, String principal) {
    return new Access(project, principal, principal);
  }
}
