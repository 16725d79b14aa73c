package io.errand.store.access;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A project.
 *
 * @param name which matches {@link io.errand.job.ProjectNames#PATTERN}
 * @param freeCommands whether its jobs may name any command, or those of the catalogue only
 * @param maxWaiting how many of its jobs may wait at once, or null for any number
 * @param createdAt when it was made
 */
public record Project(
    String name, boolean freeCommands, @Nullable Long maxWaiting, Instant createdAt) {}
