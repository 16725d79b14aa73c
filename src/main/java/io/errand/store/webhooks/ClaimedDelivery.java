package io.errand.store.webhooks;

import io.errand.job.Access;
import io.errand.job.TraceContext;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A delivery that this process tries now.
 *
 * @param id the {@code webhook-id}
 * @param token of this claim: every write about the try names it
 * @param host of the URL, in lower case
 * @param tries that have ended before
 * @param trace where its job is in its trace, or null
 * @param attempt the latest of its job, 0 where there was none or the job is gone
 * @param disabled whether the URL has answered 410 before, so that nothing is to be sent
 */
public record ClaimedDelivery(
    UUID id,
    UUID token,
    UUID jobId,
    Access access,
    String type,
    String url,
    String host,
    @Nullable String secretRef,
    int tries,
    @Nullable TraceContext trace,
    int attempt,
    boolean disabled) {}
