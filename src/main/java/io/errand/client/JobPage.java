package io.errand.client;

import java.util.List;
import java.util.Optional;

/**
 * A part of a list.
 *
 * @param jobs the newest first, without their output
 * @param next what {@link ErrandClient#list(JobFilter, String)} goes on with, if there are more
 */
public record JobPage(List<Job> jobs, Optional<String> next) {}
