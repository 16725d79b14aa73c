package io.errand.auth;

import io.errand.job.Access;
import io.errand.job.ProjectNames;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
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
 * @param roles the roles that a token of an identity provider gives, by project; empty for keys
 */
public record Identity(
    String name,
    Kind kind,
    String principal,
    @Nullable String keyId,
    Role role,
    String project,
    @Nullable Instant expiresAt,
    Map<String, Role> roles) {
  /** How a caller was identified. */
  public enum Kind {
    /** By an API key, or by the token of the configuration. */
    KEY,
    /** By a token of an identity provider. */
    OIDC
  }

  /** How long after its end a token of an identity provider still counts: clocks differ. */
  public static final Duration LEEWAY = Duration.ofSeconds(30);

  /** The principal of the first administrator. */
  public static final String ADMIN = "admin";

  /** The holder of a token that stands in the configuration of this process. */
  static final Identity CONFIGURED =
      new Identity(ADMIN, Kind.KEY, ADMIN, null, Role.ADMIN, ProjectNames.DEFAULT, null, Map.of());

  /**
   * The bearer of a token of an identity provider.
   *
   * @param subject who it is to the provider
   * @param project one of those of the roles
   * @param roles by project
   */
  public static Identity ofProvider(
      String name, String subject, String project, Map<String, Role> roles, Instant expiresAt) {
    Role role = roles.get(project);
    if (role == null) {
      throw new IllegalArgumentException("There is no role in the project " + project);
    }
    return new Identity(
        name,
        Kind.OIDC,
        "oidc:" + escaped(subject),
        null,
        role,
        project,
        expiresAt,
        Map.copyOf(roles));
  }

  /** Without the character that stands before a project, so that no two callers are one. */
  private static String escaped(String subject) {
    return subject.replace("%", "%25").replace("@", "%40");
  }

  /** When what this caller has opened ends by itself, or null where that is looked up. */
  public @Nullable Instant endsByItself() {
    return kind == Kind.OIDC && expiresAt != null ? expiresAt.plus(LEEWAY) : null;
  }

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

  /** Whether it may work in another project than its own. */
  public boolean mayEnter(String otherProject) {
    return isServerAdmin() || roles.containsKey(otherProject);
  }

  /**
   * The same caller, in another project, which it may enter. Its principal is another one there:
   * idempotency keys and ids of jobs go by principals alone, and those of one project say nothing
   * in another.
   */
  public Identity in(String otherProject) {
    Role there = isServerAdmin() ? role : roles.getOrDefault(otherProject, role);
    return new Identity(
        name, kind, principal + '@' + otherProject, keyId, there, otherProject, expiresAt, roles);
  }
}
