package io.errand.api.jobs;

import io.errand.api.request.Fields;
import io.errand.job.JobSpec;
import io.errand.store.control.JobUpdate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads new values of jobs: {@code priority}, {@code queue} and {@code run_at}. As in a merge
 * patch, null restores the default: 0, {@code default}, at once.
 */
public final class UpdateReader {
  private static final Pattern QUEUE = Pattern.compile(JobSpec.QUEUE_PATTERN);

  private UpdateReader() {}

  /**
   * The values of an object that must have one at least. They count only if no complaint was added.
   *
   * @param where the path of the object
   */
  public static JobUpdate read(Fields fields, String where) {
    fields.only(JobUpdate.FIELDS);
    JobUpdate update =
        new JobUpdate(
            priority(fields), queue(fields), fields.time("run_at"), fields.isNull("run_at"));
    if (update.isEmpty()) {
      fields.complain(where, "must have one at least of priority, queue, run_at");
    }
    return update;
  }

  private static @Nullable Integer priority(Fields fields) {
    if (fields.get("priority") == null) {
      return fields.isNull("priority") ? 0 : null;
    }
    return fields.integer("priority", 0, -100, 100);
  }

  private static @Nullable String queue(Fields fields) {
    String queue = fields.string("queue", 255);
    if (queue != null && !QUEUE.matcher(queue).matches()) {
      fields.complain(fields.at("queue"), "must match " + JobSpec.QUEUE_PATTERN);
    }
    return fields.isNull("queue") ? "default" : queue;
  }
}
