package io.errand.api.schedules;

import com.fasterxml.jackson.databind.JsonNode;
import io.errand.api.answer.AnswerBudget;
import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.api.request.Admission;
import io.errand.api.request.ApiConfig;
import io.errand.api.request.Caller;
import io.errand.api.request.JsonBody;
import io.errand.api.request.PageSize;
import io.errand.api.request.Pages;
import io.errand.api.request.RequestBody;
import io.errand.api.request.RequestMemory;
import io.errand.api.request.ValidateOnly;
import io.errand.api.request.WireTime;
import io.errand.api.schedules.ScheduleView.TickView;
import io.errand.api.submit.ScheduledBodies;
import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.errand.job.Access;
import io.errand.job.schedule.Schedule;
import io.errand.memory.MemoryBudget.Reservation;
import io.errand.queue.QueueRules;
import io.errand.queue.SealInputs;
import io.errand.queue.schedules.ScheduledBody;
import io.errand.store.Notifications;
import io.errand.store.schedules.ScheduleReads;
import io.errand.store.schedules.ScheduleReads.Read;
import io.errand.store.schedules.ScheduleRow;
import io.errand.store.schedules.ScheduleStore;
import io.errand.store.schedules.TickRow;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PATCH;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** The calls about schedules. */
@Path("/v1/schedules")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class SchedulesResource {
  /** What a schedule without its job and its times takes, as a row and as a view. */
  private static final long ROW_BYTES = 16 * 1024;

  private static final long TICK_BYTES = 4 * 1024;
  private static final long TIME_BYTES = 256;

  /** A job takes this many times its bytes: as text, as JSON, as a view and as an answer. */
  private static final int COPIES = 8;

  private static final int MOST_PAGE_SIZE = 100;

  private final Admission lists;
  private final Admission changes;
  private final ScheduleStore store;
  private final ScheduleReads reads;
  private final AnswerBudget budget;
  private final Caller caller;
  private final Notifications notifications;
  private final int mostSchedules;
  private final SealInputs seals;
  private final ScheduledBodies bodies;

  SchedulesResource(
      ScheduleStore store,
      ScheduleReads reads,
      AnswerBudget budget,
      Caller caller,
      Notifications notifications,
      ApiConfig config,
      SealInputs seals,
      ScheduledBodies bodies,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.lists = new Admission(pool, "lists of schedules are being read");
    this.changes = new Admission(pool, "schedules are being changed");
    this.store = store;
    this.reads = reads;
    this.budget = budget;
    this.caller = caller;
    this.notifications = notifications;
    this.mostSchedules = config.maxSchedules();
    this.seals = seals;
    this.bodies = bodies;
  }

  /** Makes a schedule, or only says what it would be. */
  @POST
  @Requires(Permission.SUBMIT)
  @Consumes(MediaType.APPLICATION_JSON)
  public Response post(@Context UriInfo uri) throws IOException, SQLException {
    if (ValidateOnly.of(uri)) {
      return preview(body());
    }
    String name = create(body());
    return Response.fromResponse(answer(201, name))
        .header("Location", "/v1/schedules/" + name)
        .build();
  }

  /**
   * Makes a schedule of the caller.
   *
   * @param body of the call
   * @return its name
   */
  public String create(JsonNode body) throws SQLException {
    ScheduleBody.Named wanted = ScheduleBody.read(body, bodies.rules(caller.project()));
    String name = wanted.name();
    UUID id = UUID.randomUUID();
    ScheduleStore.Creation creation;
    try (Admission.Permit permit = changes.enter()) {
      Schedule schedule = sealed(id, wanted.schedule());
      creation = store.create(id, caller.access(), name, schedule, mostSchedules);
    }
    require(creation, wanted);
    notifications.send(Notifications.Topic.READY); // idle servers look for ticks again
    return name;
  }

  /**
   * What a schedule would be; nothing is stored.
   *
   * @param body of the call that would make it
   */
  public ScheduleRow rehearse(JsonNode body) throws SQLException {
    ScheduleBody.Named wanted = ScheduleBody.read(body, bodies.rules(caller.project()));
    UUID id = UUID.randomUUID();
    String name = wanted.name();
    Schedule schedule = wanted.schedule();
    ScheduleStore.Rehearsal rehearsal;
    try (Admission.Permit permit = changes.enter()) {
      rehearsal = store.rehearse(id, caller.access(), name, schedule, mostSchedules);
    }
    require(rehearsal.creation(), wanted);
    Access access = caller.access();
    Instant now = Instant.now();
    return new ScheduleRow(
        id,
        access.project(),
        access.principal(),
        name,
        schedule,
        now,
        now,
        now,
        rehearsal.nextTickAt(),
        now);
  }

  /**
   * What a schedule of the caller would be after a change; nothing is stored.
   *
   * @param patch a merge patch, as the body of the call
   */
  public Schedule rehearseChange(String name, JsonNode patch) throws SQLException {
    long jobBytes =
        reads.jobBytes(caller.access(), existing(name)).orElseThrow(() -> missing(name));
    Reservation held = budget.reserve(COPIES * jobBytes);
    try {
      ScheduleRow row = reads.find(caller.access(), name).orElseThrow(() -> missing(name)).row();
      return changed(row, patch, bodies.rules(caller.project()));
    } finally {
      held.close();
    }
  }

  private Response preview(JsonNode body) throws SQLException {
    ScheduleRow row = rehearse(body);
    Reservation held =
        budget.reserve(
            ROW_BYTES + TIME_BYTES * 1_000 + COPIES * (long) row.schedule().job().length());
    try {
      return ok(ScheduleView.preview(row), held);
    } catch (RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private void require(ScheduleStore.Creation creation, ScheduleBody.Named wanted) {
    switch (creation) {
      case CREATED -> {}
      case NAME_TAKEN -> throw Problem.of(Kind.CONFLICT, "There is a schedule " + wanted.name());
      case TOO_MANY ->
          throw Problem.of(
              Kind.CONFLICT,
              "This project has "
                  + mostSchedules
                  + " schedules, the most that ERRAND_MAX_SCHEDULES allows");
      case NO_TICK ->
          throw Problem.invalid(
              wanted.schedule().timing().cron() == null ? "times" : "cron",
              "has no tick in the future, within starts_at and ends_at");
    }
  }

  /** The schedules of this caller, by name. */
  @GET
  @Requires(Permission.SEE)
  public Response list(
      @QueryParam("page_size") @Nullable String pageSize,
      @QueryParam("page_token") @Nullable String pageToken)
      throws SQLException {
    int size = PageSize.read(pageSize, MOST_PAGE_SIZE);
    String after = Pages.position("schedules", pageToken);
    if (after != null && !after.matches(Schedule.NAME_PATTERN)) {
      throw Problem.invalid("page_token", "is not one of ours");
    }
    Reservation held = budget.reserve(size * ROW_BYTES);
    try {
      List<Read> read;
      try (Admission.Permit permit = lists.enter()) {
        read = reads.list(caller.access(), after == null ? "" : after, size + 1);
      }
      long times =
          read.stream().mapToLong(one -> one.row().schedule().timing().times().size()).sum();
      if (!budget.grow(held, TIME_BYTES * times)) {
        throw Problem.busy();
      }
      List<Read> page = read.subList(0, Math.min(size, read.size()));
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("schedules", page.stream().map(ScheduleView::listed).toList());
      answer.put(
          "next_page_token",
          read.size() > size ? Pages.token("schedules", page.get(size - 1).row().name()) : "");
      return ok(answer, held);
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /** One schedule, with its job and its next runs. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}")
  public Response get(@PathParam("name") String name) throws SQLException {
    return answer(200, existing(name));
  }

  /** Changes a schedule. */
  @PATCH
  @Requires(Permission.SUBMIT)
  @Path("{name}")
  @Consumes({MediaType.APPLICATION_JSON, "application/merge-patch+json"})
  public Response patch(@PathParam("name") String name) throws IOException, SQLException {
    existing(name);
    change(name, body());
    return answer(200, name);
  }

  /**
   * Changes a schedule of the caller.
   *
   * @param patch a merge patch, as the body of the call
   */
  public void change(String name, JsonNode patch) throws SQLException {
    long jobBytes =
        reads.jobBytes(caller.access(), existing(name)).orElseThrow(() -> missing(name));
    QueueRules rules = bodies.rules(caller.project());
    Reservation held = budget.reserve(COPIES * jobBytes);
    try (Admission.Permit permit = changes.enter()) {
      if (!store.change(caller.access(), name, row -> changed(row, patch, rules))) {
        throw missing(name);
      }
    } finally {
      held.close();
    }
    notifications.send(Notifications.Topic.READY);
  }

  private Schedule changed(ScheduleRow row, JsonNode patch, QueueRules rules) {
    Schedule schedule = row.schedule();
    if (patch.has("job")) {
      schedule =
          schedule.withJob(
              ScheduledBodies.inClear(seals, row.id(), ScheduledBody.read(schedule.job()))
                  .toString());
    }
    return sealed(row.id(), ScheduleBody.changed(schedule, patch, rules));
  }

  private Schedule sealed(UUID id, Schedule schedule) {
    return schedule.withJob(seals.sealBody(id, ScheduledBody.read(schedule.job())).toString());
  }

  /** Removes a schedule. Its jobs stay. */
  @DELETE
  @Requires(Permission.SUBMIT)
  @Path("{name}")
  public Response delete(@PathParam("name") String name) throws SQLException {
    try (Admission.Permit permit = changes.enter()) {
      if (!store.delete(caller.access(), existing(name))) {
        throw missing(name);
      }
    }
    return Response.noContent().build();
  }

  /** The ticks of a schedule, the newest first, and the next ones. */
  @GET
  @Requires(Permission.SEE)
  @Path("{name}/ticks")
  public Response ticks(
      @PathParam("name") String name,
      @QueryParam("page_size") @Nullable String pageSize,
      @QueryParam("page_token") @Nullable String pageToken)
      throws SQLException {
    int size = PageSize.read(pageSize, MOST_PAGE_SIZE);
    long jobBytes =
        reads.jobBytes(caller.access(), existing(name)).orElseThrow(() -> missing(name));
    Reservation held = budget.reserve(ROW_BYTES + size * TICK_BYTES + 2 * jobBytes);
    try (Admission.Permit permit = lists.enter()) {
      Read schedule = reads.find(caller.access(), name).orElseThrow(() -> missing(name));
      String list = "ticks " + schedule.row().id();
      String position = Pages.position(list, pageToken);
      Instant before = position == null ? null : WireTime.parse(position);
      if (position != null && before == null) {
        throw Problem.invalid("page_token", "is not one of ours");
      }
      List<TickRow> read = reads.ticks(schedule.row().id(), caller.project(), before, size + 1);
      List<TickRow> page = read.subList(0, Math.min(size, read.size()));
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("next_ticks", ScheduleView.nextRuns(schedule.row()));
      answer.put("ticks", page.stream().map(TickView::of).toList());
      answer.put(
          "next_page_token",
          read.size() > size ? Pages.token(list, page.get(size - 1).tickAt().toString()) : "");
      return ok(answer, held);
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  /** What a schedule submits, without its secrets. */
  public static JsonNode shownJob(ScheduleRow row) {
    return ScheduleView.shown(ScheduledBody.read(row.schedule().job()));
  }

  /** The body of this request, for what is read and stored of it. */
  private JsonNode body() throws IOException {
    RequestBody arrived = caller.body();
    arrived.checkKept();
    byte[] bytes = arrived.readAllBytes();
    RequestMemory.require(caller.request(), (long) COPIES * bytes.length);
    return JsonBody.read(bytes);
  }

  private Response answer(int status, String name) throws SQLException {
    long jobBytes = reads.jobBytes(caller.access(), name).orElseThrow(() -> missing(name));
    Reservation held = budget.reserve(ROW_BYTES + TIME_BYTES * 1_000 + COPIES * jobBytes);
    try {
      Read read = reads.find(caller.access(), name).orElseThrow(() -> missing(name));
      return Response.fromResponse(ok(ScheduleView.of(read), held)).status(status).build();
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }

  private Response ok(Object answer, Reservation held) {
    return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
  }

  /** The name, if a schedule can have it. */
  private static String existing(String name) {
    if (!name.matches(Schedule.NAME_PATTERN)) { // it may hold NUL
      throw Problem.of(Kind.NOT_FOUND, "There is no schedule of that name");
    }
    return name;
  }

  private static Problem missing(String name) {
    return Problem.of(Kind.NOT_FOUND, "There is no schedule " + name);
  }
}
