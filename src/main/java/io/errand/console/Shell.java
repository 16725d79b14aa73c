package io.errand.console;

import io.errand.auth.ConsoleSessions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What every page shows around its own content.
 *
 * @param title of the page
 * @param section the path of the entry of the menu that it belongs to
 * @param root how a link of this page begins; relative, so that any path may stand before ours
 * @param assets the same for files
 * @param who the name of the caller, empty where nobody is signed in
 * @param csrf what each form carries in the field {@code csrf}
 * @param submits whether the caller may submit jobs and change its own
 * @param operates whether it may change how the project works
 * @param administers whether it may decide who does what
 * @param notice what has just been done, in words, or null
 * @param projects those that the caller may choose, by name; empty where there is nothing to choose
 * @param banner why nothing can be changed, in words, or null
 * @param docs how a link to the documentation begins, or null where the server has none
 */
public record Shell(
    String title,
    String section,
    String root,
    String assets,
    String who,
    String role,
    String project,
    String csrf,
    boolean submits,
    boolean operates,
    boolean administers,
    List<Section> sections,
    @Nullable String notice,
    List<String> projects,
    @Nullable String banner,
    @Nullable String docs) {

  /** The address of a file. */
  public String asset(String name) {
    return assets + name;
  }

  /** Whether somebody is signed in. */
  public boolean known() {
    return !who.isEmpty();
  }

  /** Whether there are more projects than are listed. */
  public boolean isCut() {
    return projects.size() >= ConsoleSessions.MOST_PROJECTS;
  }

  /** Whether an entry of the menu is that of this page. */
  public boolean isHere(Section entry) {
    return entry.path().equals(section);
  }
}
