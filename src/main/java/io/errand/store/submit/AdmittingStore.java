package io.errand.store.submit;

import io.errand.store.submit.Depths.Depth;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Stores jobs of queues that bound what they accept. A limit of the depth is exact over all
 * servers: the depth is locked before it is counted, and until the jobs are committed. A repeat of
 * a known request is no new job, and is never refused.
 */
@ApplicationScoped
public class AdmittingStore {
  private static final String KNOWN_IDS =
      """
      SELECT id FROM errand.jobs WHERE id = ANY (?)
      """;

  private final DataSource dataSource;

  public AdmittingStore(@io.quarkus.agroal.DataSource("queue") DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /**
   * Stores each of the jobs that its queue has room for, in one transaction, the first first. They
   * may come from many callers, and keys and ids may repeat among them.
   *
   * @param notifying whether the workers are notified in the same transaction
   * @return one answer per job, in order
   * @throws SQLException as of {@link SubmitStore#submitEach}
   */
  public List<Submission> submitEach(List<Candidate> candidates, boolean notifying)
      throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        List<Submission> answers = new Round(connection, candidates).answers(notifying);
        connection.commit();
        return answers;
      } catch (SQLException | RuntimeException | Error e) {
        SubmitStore.rollbackQuietly(connection, e);
        throw e;
      }
    }
  }

  /**
   * Stores all of the jobs, or none if any of them is refused. Keys must not repeat among them.
   *
   * @return one answer per job, in order
   * @throws SQLException as of {@link SubmitStore#submitAll}
   */
  public List<Submission> submitAll(List<Candidate> candidates) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        List<Submission> answers = all(connection, candidates);
        if (answers.stream().allMatch(SubmitStore::isGranted)) {
          connection.commit();
        } else {
          connection.rollback();
        }
        return answers;
      } catch (SQLException | RuntimeException | Error e) {
        SubmitStore.rollbackQuietly(connection, e);
        throw e;
      }
    }
  }

  /**
   * What stands against one more job of a queue, in the transaction of the caller, until whose end
   * nobody adds to the queue.
   *
   * @return null if it has room, or only warns
   */
  public static @Nullable Overload refusal(Connection connection, String queue)
      throws SQLException {
    Depth depth = Depths.lock(connection, new TreeSet<>(Set.of(queue))).get(queue);
    return depth != null && depth.isFull() && depth.refuses() ? depth.overload() : null;
  }

  /**
   * How many more waiting jobs a queue takes.
   *
   * @param jobs 0 or more
   * @param overload what is said once there is no room
   */
  public record Room(long jobs, Overload overload) {}

  /**
   * The room of a queue for jobs of its own project, which count for the project already. It holds
   * in the transaction of the caller, until whose end nobody else adds to the queue.
   *
   * @param queue by its stored name
   * @return null if the queue has no limit, or only warns
   */
  public static @Nullable Room room(Connection connection, String queue) throws SQLException {
    return Depths.roomOf(connection, queue);
  }

  /** What stands against new jobs, by their ids, as of {@link #refusal}: all of them or none. */
  static Map<UUID, Submission> refusals(Connection connection, List<Candidate> candidates)
      throws SQLException {
    Map<String, Depth> depths = Depths.lock(connection, queuesOf(candidates));
    Map<UUID, Submission> refusals = new HashMap<>();
    for (Candidate candidate : candidates) {
      NewJob job = candidate.job();
      Overload refusal = candidate.refusal();
      Depth depth = depths.get(job.spec().queue());
      if (refusal == null && depth != null) {
        refusal = depth.isFull() && depth.refuses() ? depth.overload() : null;
        depth.add();
      }
      if (refusal != null) {
        refusals.put(job.id(), new Submission.Refused(refusal, 0));
      }
    }
    return refusals;
  }

  private static List<Submission> all(Connection connection, List<Candidate> candidates)
      throws SQLException {
    Map<String, Depth> depths = Depths.lock(connection, queuesOf(candidates));
    List<NewJob> jobs = candidates.stream().map(Candidate::job).toList();
    Map<UUID, Submission> stored = SubmitStore.insert(connection, jobs);
    List<Submission> answers = new ArrayList<>(SubmitStore.answers(connection, jobs, stored));
    for (int i = 0; i < answers.size(); i++) {
      if (answers.get(i) instanceof Submission.Accepted accepted) {
        answers.set(i, admitted(accepted, candidates.get(i), depths));
      }
    }
    return answers;
  }

  /** What becomes of a job that was stored just now: its transaction may still be rolled back. */
  private static Submission admitted(
      Submission.Accepted accepted, Candidate candidate, Map<String, Depth> depths) {
    Overload refusal = candidate.refusal();
    if (refusal != null) {
      return new Submission.Refused(refusal, 0);
    }
    Depth depth = depths.get(candidate.job().spec().queue());
    if (depth == null || !depth.isFull()) {
      if (depth != null) {
        depth.add();
      }
      return accepted;
    }
    Overload overload = depth.overload();
    return depth.refuses() ? new Submission.Refused(overload, 0) : accepted.with(overload);
  }

  private static TreeSet<String> queuesOf(List<Candidate> candidates) {
    return candidates.stream()
        .filter(candidate -> candidate.refusal() == null)
        .map(candidate -> candidate.job().spec().queue())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Jobs that came together. */
  private static final class Round {
    private final Connection connection;
    private final List<Candidate> candidates;
    private final Map<UUID, Overload> warnings = new HashMap<>();
    private final Map<String, Set<String>> knownKeys = new HashMap<>(); // by principal
    private final Set<UUID> knownIds = new HashSet<>();

    Round(Connection connection, List<Candidate> candidates) {
      this.connection = connection;
      this.candidates = candidates;
    }

    List<Submission> answers(boolean notifying) throws SQLException {
      Map<String, Depth> depths = Depths.lock(connection, queuesOf(candidates));
      lookUp();
      List<@Nullable Submission> refusals = new ArrayList<>();
      List<NewJob> wanted = new ArrayList<>();
      for (Candidate candidate : candidates) {
        Submission refusal = isKnown(candidate.job()) ? null : refusal(candidate, depths);
        refusals.add(refusal);
        if (refusal == null) {
          wanted.add(candidate.job());
          remember(candidate.job());
        }
      }
      List<Submission> stored = SubmitStore.each(connection, wanted, notifying);
      List<Submission> answers = new ArrayList<>();
      int next = 0;
      for (Submission refusal : refusals) {
        answers.add(refusal == null ? warned(stored.get(next++)) : refusal);
      }
      return answers;
    }

    private @Nullable Submission refusal(Candidate candidate, Map<String, Depth> depths) {
      Overload refusal = candidate.refusal();
      Depth depth = depths.get(candidate.job().spec().queue());
      if (refusal == null && depth != null) {
        if (depth.isFull() && depth.refuses()) {
          refusal = depth.overload();
        } else {
          if (depth.isFull()) {
            warnings.put(candidate.job().id(), depth.overload());
          }
          depth.add();
        }
      }
      return refusal == null ? null : new Submission.Refused(refusal, 0);
    }

    private Submission warned(Submission answer) {
      if (answer instanceof Submission.Accepted accepted) {
        Overload warning = warnings.get(accepted.id());
        return warning == null ? accepted : accepted.with(warning);
      }
      return answer;
    }

    /** Whether its key or id belongs to a job already, also to one of these that was admitted. */
    private boolean isKnown(NewJob job) {
      String key = job.idempotencyKey();
      return key == null
          ? knownIds.contains(job.id())
          : knownKeys.getOrDefault(job.principal(), Set.of()).contains(key);
    }

    private void remember(NewJob job) {
      String key = job.idempotencyKey();
      if (key == null) {
        knownIds.add(job.id());
      } else {
        knownKeys.computeIfAbsent(job.principal(), principal -> new HashSet<>()).add(key);
      }
    }

    private void lookUp() throws SQLException {
      Map<String, Set<String>> keys = new HashMap<>();
      Set<UUID> ids = new HashSet<>();
      for (Candidate candidate : candidates) {
        NewJob job = candidate.job();
        if (job.idempotencyKey() == null) {
          ids.add(job.id());
        } else {
          keys.computeIfAbsent(job.principal(), principal -> new HashSet<>())
              .add(job.idempotencyKey());
        }
      }
      for (Map.Entry<String, Set<String>> one : keys.entrySet()) {
        knownKeys.put(
            one.getKey(),
            new HashSet<>(KnownKeys.find(connection, one.getKey(), one.getValue()).keySet()));
      }
      if (!ids.isEmpty()) {
        lookUp(ids);
      }
    }

    private void lookUp(Set<UUID> ids) throws SQLException {
      try (PreparedStatement statement = connection.prepareStatement(KNOWN_IDS)) {
        statement.setArray(1, connection.createArrayOf("uuid", ids.toArray()));
        try (ResultSet row = statement.executeQuery()) {
          while (row.next()) {
            knownIds.add(row.getObject(1, UUID.class));
          }
        }
      }
    }
  }
}
