package io.errand.auth;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a caller may do. */
public enum Role {
  /** Sees all of its project and changes nothing. */
  VIEWER(Permission.SEE),
  /** Submits, and sees and changes what it has submitted itself. */
  SUBMITTER(Permission.SEE, Permission.SUBMIT),
  /** Does anything with the jobs, queues and schedules of its project. */
  OPERATOR(Permission.SEE, Permission.SUBMIT, Permission.OPERATE),
  /** Decides about keys, commands and the project itself, too. */
  ADMIN(Permission.SEE, Permission.SUBMIT, Permission.OPERATE, Permission.ADMINISTER);

  private final Set<Permission> permissions;

  Role(Permission first, Permission... others) {
    permissions = EnumSet.of(first, others);
  }

  /** Whether it has a permission. */
  public boolean may(Permission permission) {
    return permissions.contains(permission);
  }

  /** Its name in JSON and in the database. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The role of a name, or null. */
  public static @Nullable Role ofWireName(String name) {
    for (Role role : values()) {
      if (role.wireName().equals(name)) {
        return role;
      }
    }
    return null;
  }
}
