package io.errand.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.job.JobSpec;
import io.errand.job.ProjectNames;
import io.errand.queue.catalogue.Catalogue;
import io.errand.queue.catalogue.Complaints;
import io.errand.store.PolicyJson;
import io.errand.store.queues.QueueSettings.OnOverload;
import io.errand.store.queues.RuleReads.Rule;
import io.errand.store.submit.Overload;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What queues, the catalogue and the database say about submits, as it was a moment ago. It never
 * changes.
 *
 * @param project of the submits that they are for
 * @param byName the queues that have something to say, by stored name
 * @param boundedProjects those that bound how many of their jobs wait
 * @param database what keeps the database from keeping up, or null
 * @param catalogue the named commands
 */
public record QueueRules(
    String project,
    Map<String, Known> byName,
    Set<String> boundedProjects,
    @Nullable Overload database,
    Catalogue catalogue) {
  /** They say nothing. */
  public static final QueueRules NONE =
      new QueueRules(ProjectNames.DEFAULT, Map.of(), Set.of(), null, Catalogue.EMPTY);

  private static final JsonNode NO_DEFAULTS = PolicyJson.MAPPER.createObjectNode();
  private static final int MOST_RETRY_AFTER_SECONDS = 3_600;
  private static final int DATABASE_RETRY_AFTER_SECONDS = 30;

  /** The least rate that is believed in: a job a minute. */
  private static final double LEAST_PER_SECOND = 1.0 / 60;

  /**
   * A queue.
   *
   * @param rule as it was read
   * @param defaults its defaults as JSON
   * @param drain how fast its jobs finish
   * @param policy what its jobs must keep to, or null
   */
  public record Known(
      Rule rule, JsonNode defaults, DrainRate drain, @Nullable QueuePolicy policy) {}

  /**
   * What a submit to a queue meets.
   *
   * @param refusal stands against any new job, or null
   * @param warning is said in the answer, or null
   * @param counted whether the depth has to be counted
   */
  public record Meeting(@Nullable Overload refusal, @Nullable Overload warning, boolean counted) {
    static final Meeting NOTHING = new Meeting(null, null, false);

    boolean isPlain() {
      return refusal == null && !counted;
    }
  }

  /** The same for the submits of another project. */
  public QueueRules in(String ofProject) {
    return ofProject.equals(project)
        ? this
        : new QueueRules(ofProject, byName, boundedProjects, database, catalogue);
  }

  /** Complains about what the policy of its queue does not allow a job. */
  public void checkPolicy(JobSpec spec, Complaints complaints) {
    Known known = byName.get(spec.queue());
    if (known != null && known.policy() != null) {
      known.policy().check(spec, complaints);
    }
  }

  /** Fields of a job of this queue that it does not name. */
  public JsonNode defaultsOf(String queue) {
    Known known = byName.get(queue);
    return known == null ? NO_DEFAULTS : known.defaults();
  }

  /** What stands against a submit to this queue beside its depth, or null. */
  public @Nullable Overload against(String queue) {
    Meeting meeting = of(queue);
    return meeting.refusal() == null ? meeting.warning() : meeting.refusal();
  }

  /** Whether no submit meets anything. */
  boolean isSilent() {
    return byName.isEmpty() && boundedProjects.isEmpty() && database == null;
  }

  /** What a submit to this queue meets. */
  Meeting of(String queue) {
    Known known = byName.get(queue);
    Overload age = known == null ? null : age(known.rule());
    Overload worst = age == null || (database != null && database.refuses()) ? database : age;
    boolean counted =
        (known != null && known.rule().maxDepth() != null)
            || (!boundedProjects.isEmpty()
                && boundedProjects.contains(ProjectNames.projectOf(queue)));
    if (worst == null) {
      return counted ? new Meeting(null, null, true) : Meeting.NOTHING;
    }
    return worst.refuses() ? new Meeting(worst, null, counted) : new Meeting(null, worst, counted);
  }

  private static @Nullable Overload age(Rule rule) {
    Double most = rule.maxReadyAgeSeconds();
    Double oldest = rule.oldestReadySeconds();
    return most == null || oldest == null || oldest <= most
        ? null
        : new Overload(
            Overload.Kind.MAX_READY_AGE_SECONDS,
            rule.name(),
            oldest,
            most,
            rule.overload() == OnOverload.REFUSE);
  }

  /**
   * When a submit that was refused is worth to be tried again: once the jobs that wait have gone,
   * at the rate at which jobs of the queue have finished in the last minute. From 1 to 3,600
   * seconds.
   */
  int retryAfterSeconds(Overload refusal) {
    Known known = refusal.kind().isOfQueue() ? byName.get(refusal.subject()) : null;
    if (known == null) {
      return DATABASE_RETRY_AFTER_SECONDS;
    }
    if (known.rule().paused()) {
      return MOST_RETRY_AFTER_SECONDS;
    }
    double waiting =
        refusal.kind() == Overload.Kind.MAX_DEPTH ? refusal.value() : known.rule().waiting();
    double seconds = waiting / Math.max(LEAST_PER_SECOND, known.drain().perSecond());
    return (int) Math.ceil(Math.max(1, Math.min(MOST_RETRY_AFTER_SECONDS, seconds)));
  }
}
