package io.errand.auth;

import io.errand.job.Access;
import io.errand.job.ProjectNames;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Who a caller is.
 *
 * @param name for people
 * @param kind how it was identified
 * @param principal whom what it submits belongs to
 * @param keyId the id of its key, or null where it has none
 * @param role what it may do
 * @param project where
 * @param expiresAt when this ends, or null
 */
public record Identity(
    String name,
    Kind kind,
    String principal,
    @Nullable String keyId,
    Role role,
    String project,
    @Nullable Instant expiresAt) {
  /** How a caller was identified. */
  public enum Kind {
    /** By an API key, or by the token of the configuration. */
    KEY,
    /** By a token of an identity provider. */
    OIDC
  }

  /** The principal of the first administrator. */
  public static final String ADMIN = "admin";

  /** The holder of a token that stands in the configuration of this process. */
  static final Identity CONFIGURED =
      new Identity(ADMIN, Kind.KEY, ADMIN, null, Role.ADMIN, ProjectNames.DEFAULT, null);

  /** Which jobs it may see and change. */
  public Access access() {
    return role == Role.SUBMITTER
        ? Access.toOwn(project, principal)
        : Access.toProject(project, principal);
  }

  /** Whether it decides about all projects: an administrator of the project default. */
  public boolean isServerAdmin() {
    return role == Role.ADMIN && project.equals(ProjectNames.DEFAULT);
  }

  /**
   * The same caller, in another project. Its principal is another one there: idempotency keys and
   * ids of jobs go by principals alone, and those of one project say nothing in another.
   */
  public Identity in(String otherProject) {
    return new Identity(
        name, kind, principal + '@' + otherProject, keyId, role, otherProject, expiresAt);
  }
}
