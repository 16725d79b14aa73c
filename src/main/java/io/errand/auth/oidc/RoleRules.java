package io.errand.auth.oidc;

import io.errand.auth.Role;
import io.errand.job.ProjectNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which value of a claim gives which role, and where.
 *
 * @param rules in the order of the setting
 */
record RoleRules(List<Rule> rules) {
  private static final int MOST_RULES = 1_000;

  /**
   * One of them.
   *
   * @param value of the claim
   * @param role that it gives
   * @param project where, or null for those of the claim of projects, else default
   */
  record Rule(String value, Role role, @Nullable String project) {}

  /**
   * Those of a setting: {@code VALUE=ROLE} or {@code VALUE=ROLE@PROJECT}, with commas between.
   *
   * @throws IllegalArgumentException with a sentence, if it is none
   */
  static RoleRules parse(String text) {
    List<Rule> rules = new ArrayList<>();
    for (String part : text.split(",")) {
      String rule = part.strip();
      int end = rule.lastIndexOf('=');
      String given = end < 0 ? "" : rule.substring(end + 1).strip();
      int at = given.indexOf('@');
      Role role = Role.ofWireName(at < 0 ? given : given.substring(0, at));
      String project = at < 0 ? null : given.substring(at + 1);
      if (end < 1
          || role == null
          || (project != null && !project.matches(ProjectNames.PATTERN))
          || rules.size() == MOST_RULES) {
        throw new IllegalArgumentException(
            "ERRAND_OIDC_ROLES must be a comma list of at most "
                + MOST_RULES
                + " VALUE=ROLE or VALUE=ROLE@PROJECT, such as errand-admins=admin,media=submitter@media;"
                + " roles are viewer, submitter, operator and admin");
      }
      rules.add(new Rule(rule.substring(0, end).strip(), role, project));
    }
    return new RoleRules(List.copyOf(rules));
  }

  /** Those of these values that give a role. */
  List<String> known(Collection<String> values) {
    return rules.stream().map(Rule::value).distinct().filter(values::contains).toList();
  }

  /**
   * The roles that values give, by project: the highest where several hold.
   *
   * @param values of the claim of roles
   * @param projects that rules without a project hold in
   */
  Map<String, Role> roles(Collection<String> values, Collection<String> projects) {
    Map<String, Role> roles = new TreeMap<>();
    for (Rule rule : rules) {
      if (values.contains(rule.value())) {
        for (String project : rule.project() == null ? projects : List.of(rule.project())) {
          roles.merge(project, rule.role(), (one, two) -> one.compareTo(two) > 0 ? one : two);
        }
      }
    }
    return roles;
  }
}
