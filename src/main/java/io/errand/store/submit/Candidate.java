package io.errand.store.submit;

import org.jspecify.annotations.Nullable;

/**
 * A job that is stored if its queue has room for it.
 *
 * @param job about to be stored
 * @param refusal what stands against any new job; only a repeat of a known one is answered then.
 *     Null where nothing does
 */
public record Candidate(NewJob job, @Nullable Overload refusal) {}
