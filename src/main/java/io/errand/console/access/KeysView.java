package io.errand.console.access;

import io.errand.store.access.Project;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keys and projects.
 *
 * @param secret the text of the key that was just made, which is shown this once, or empty
 * @param secretName whose it is
 * @param isServerAdmin whether the caller decides about all projects
 * @param fault what was wrong with a form, or null
 * @param older what the address of the next page of keys asks for, or empty
 */
record KeysView(
    List<KeyLine> keys,
    List<Project> projects,
    String secret,
    String secretName,
    boolean isServerAdmin,
    @Nullable String fault,
    String older) {}
