package io.errand.store.catalogue;

import java.time.Instant;

/**
 * A version of a named command.
 *
 * @param name of the command
 * @param version from 1
 * @param definition what it says, as JSON
 * @param createdAt when it was stored
 * @param createdBy the principal who did
 */
public record CommandRow(
    String name, int version, String definition, Instant createdAt, String createdBy) {}
