package io.errand.store.reads;

import io.errand.job.Access;
import io.errand.job.JobState;
import io.errand.store.ProjectReads;
import io.errand.store.ProjectReads.Reading;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.panache.common.Parameters;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.control.ActivateRequestContext;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hibernate.jpa.HibernateHints;
import org.hibernate.query.TypedParameterValue;
import org.hibernate.type.StandardBasicTypes;
import org.jspecify.annotations.Nullable;

/** What clients and operators read of jobs. Each read is bounded. */
@ApplicationScoped
@ActivateRequestContext
public class JobReads {
  private final ProjectReads projects;

  JobReads(ProjectReads projects) {
    this.projects = projects;
  }

  /** How many bytes the rows of a page may take; a page has one row at least. */
  private static final long PAGE_BYTES = 1024 * 1024;

  private static final long ROW_FIXED_BYTES = 1024;

  /** To measure a row the database has to read all of it, so few are measured ahead. */
  private static final int MEASURED_TOGETHER = 16;

  /** A job with what is kept of the output of its latest attempt. */
  public record JobWithOutput(JobEntity job, KeptOutput stdout, KeptOutput stderr) {}

  /** What the columns of a row take that a client or a command decides on, computed there. */
  private static final String ROW_BYTES =
      """
      sql('(octet_length(cast(? as text)) + octet_length(cast(? as text))
        + octet_length(cast(? as text)) + octet_length(cast(? as text))
        + coalesce(octet_length(?), 0) + coalesce(octet_length(?), 0) + coalesce(octet_length(?), 0)
        + coalesce(octet_length(cast(? as text)), 0) + coalesce(octet_length(cast(? as text)), 0)
        + coalesce(octet_length(cast(? as text)), 0) + coalesce(octet_length(cast(? as text)), 0))',
        command, labels, envNames, retry, description, detail, workingDirectory, sandbox, waitsAfter,
        onFinish, parameters)
      """;

  private static final String OUTPUT_BYTES =
      "sql('(coalesce(octet_length(?), 0) + coalesce(octet_length(?), 0))', stdout, stderr)";

  /**
   * A job of a page.
   *
   * @param id of the job
   * @param createdAt when it was accepted
   * @param bytes what the columns of its row take that a client or a command decides on
   */
  public record Row(UUID id, Instant createdAt, long bytes) {
    JobFilter.Position position() {
      return new JobFilter.Position(createdAt, id);
    }
  }

  /**
   * A page of jobs, to be read by the piece.
   *
   * @param rows at most as many as were asked for, in order
   * @param next behind which place others may follow, null where there are none
   * @param searchedBackTo how far a text search looked, null where nothing was left out
   * @param searchedTo when the last job was created that was looked at, where the page ended
   *     because it had looked at as many as it may; else null
   */
  public record Page(
      List<Row> rows,
      JobFilter.@Nullable Position next,
      @Nullable Instant searchedBackTo,
      @Nullable Instant searchedTo) {
    private Page searched(
        @Nullable Instant backTo, @Nullable Instant scanEnd, boolean isOldestFirst) {
      return next != null || scanEnd == null
          ? new Page(rows, next, backTo, null)
          : new Page(rows, JobCriteria.behind(scanEnd, isOldestFirst), backTo, scanEnd);
    }
  }

  private static final String VISIBLE =
      "id = :id and project = :project and principal = coalesce(:owner, principal)";

  private static Parameters visible(UUID id, Access access) {
    return Parameters.with("id", id)
        .and("project", access.project())
        .and("owner", new TypedParameterValue<>(StandardBasicTypes.STRING, access.owner()));
  }

  /** One job of this caller. */
  public Optional<JobEntity> find(UUID id, Access access) {
    // A request that waited reads twice, and the second time it wants to know what is true now.
    return projects.within(
        access.project(),
        () -> {
          JobEntity.getEntityManager().clear();
          return JobEntity.find(VISIBLE, visible(id, access)).firstResultOptional();
        });
  }

  /** How many bytes the row of a job of this caller takes, found out without reading them. */
  public Optional<Long> rowBytes(UUID id, Access access) {
    return projects.within(
        access.project(),
        () ->
            JobEntity.find(
                    "select cast(" + ROW_BYTES + " as Long) from JobEntity where " + VISIBLE,
                    visible(id, access))
                .project(Long.class)
                .firstResultOptional());
  }

  /** How many bytes are kept of both streams of an attempt. */
  public long outputBytes(UUID id, int attempt, String project) {
    return projects.within(
        project,
        () ->
            JobEntity.getEntityManager()
                .createQuery(
                    "select cast("
                        + OUTPUT_BYTES
                        + " as Long) from OutputEntity"
                        + " where jobId = ?1 and attempt = ?2",
                    Long.class)
                .setParameter(1, id)
                .setParameter(2, attempt)
                .getResultStream()
                .findFirst()
                .orElse(0L));
  }

  /** One job of this caller with its output. */
  public Optional<JobWithOutput> findWithOutput(UUID id, Access access) {
    return find(id, access).map(this::withOutput);
  }

  /** Adds what is kept of the output of the latest attempt, if that has ended. */
  public JobWithOutput withOutput(JobEntity job) {
    return output(job.id, job.attempt, job.project)
        .map(output -> new JobWithOutput(job, output.keptStdout(), output.keptStderr()))
        .orElse(new JobWithOutput(job, KeptOutput.NONE, KeptOutput.NONE));
  }

  /** What is kept of one ended attempt. */
  public Optional<OutputEntity> output(UUID id, int attempt, String project) {
    return projects.within(
        project, () -> OutputEntity.findByIdOptional(new AttemptEntity.Key(id, attempt)));
  }

  /**
   * Where a job stands.
   *
   * @param id of the job
   * @param state by wire name
   * @param attempt the latest
   */
  public record JobStatus(UUID id, String state, int attempt) {
    /** Whether its latest attempt runs. */
    public boolean isRunning() {
      return JobState.ofWireName(state) == JobState.RUNNING;
    }

    /** Whether nothing will change any more. */
    public boolean isFinal() {
      return JobState.ofWireName(state).isFinal();
    }
  }

  /** Where the given jobs stand. */
  public List<JobStatus> statuses(Collection<UUID> ids) {
    return JobEntity.find("select id, state, attempt from JobEntity where id in ?1", ids)
        .project(JobStatus.class)
        .list();
  }

  /** Those of the given jobs that are in a final state. */
  public List<UUID> finished(Collection<UUID> ids) {
    return JobEntity.find("select id from JobEntity where id in ?1 and finishedAt is not null", ids)
        .project(UUID.class)
        .list();
  }

  /**
   * A page of this caller's jobs, which ends early where its rows would take more than a mebibyte.
   * The rows themselves are read by {@link #rows}. Where the filter is {@linkplain
   * JobFilter#isScanned scanned}, a page looks at a bounded number of jobs, and may be empty with
   * others behind it.
   */
  public Page list(JobFilter filter, Access access, JobFilter.@Nullable Position after, int size) {
    JobCriteria criteria = JobCriteria.of(filter, access);
    criteria.after(after);
    Instant searchedBackTo = filter.text() == null ? null : criteria.search(filter.text());
    Instant searchedTo = filter.isScanned() ? JobCriteria.endOfScan(filter, access, after) : null;
    if (searchedTo != null) {
      criteria.within(searchedTo);
    }
    Reading<Page> reading =
        () -> {
          try (Stream<Row> found =
              JobEntity.find(
                  "select id, createdAt, cast(" + ROW_BYTES + " as Long)" + criteria.sql(),
                  criteria.parameters())
                  .project(Row.class)
                  .range(0, size)
                  .withHint(HibernateHints.HINT_FETCH_SIZE, MEASURED_TOGETHER)
                  .<Row>stream()) {
            return page(found.iterator(), size)
                .searched(searchedBackTo, searchedTo, filter.oldestFirst());
          }
        };
    // An index of labels is not used below the policy of a role. What is shown is read by rows()
    // anyway.
    return filter.labels().isEmpty()
        ? projects.within(access.project(), reading)
        : QuarkusTransaction.requiringNew().call(reading::read);
  }

  /** As many of the rows as fit; no more of them are measured than that takes. */
  private static Page page(Iterator<Row> found, int size) {
    List<Row> rows = new ArrayList<>();
    long bytes = 0;
    while (found.hasNext()) {
      Row row = found.next();
      bytes += ROW_FIXED_BYTES + row.bytes();
      if (rows.size() == size || (!rows.isEmpty() && bytes > PAGE_BYTES)) {
        return new Page(rows, rows.get(rows.size() - 1).position(), null, null);
      }
      rows.add(row);
    }
    return new Page(rows, null, null, null);
  }

  /**
   * The rows of these jobs of a project by id, as they are now; those that have been removed are
   * missing.
   */
  public Map<UUID, JobEntity> rows(Collection<UUID> ids, String project) {
    return projects.within(
        project,
        () -> {
          JobEntity.getEntityManager().clear();
          return JobEntity.<JobEntity>list("id in ?1 and project = ?2", ids, project).stream()
              .collect(Collectors.toMap(job -> job.id, Function.identity()));
        });
  }
}
