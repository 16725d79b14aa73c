-- Schedules: jobs that are submitted at given times. docs/adr/0026 says why a tick is a row.

CREATE TABLE errand.schedules (
    id             uuid             PRIMARY KEY,
    principal      text             NOT NULL,
    name           text             NOT NULL,
    cron           text,
    times          timestamptz[],
    zone           text             NOT NULL,
    overlap        text             NOT NULL,
    catch_up       text             NOT NULL,
    catch_up_limit integer          NOT NULL,
    jitter_seconds double precision NOT NULL,
    starts_at      timestamptz,
    ends_at        timestamptz,
    paused         boolean          NOT NULL,
    job            jsonb            NOT NULL,
    created_at     timestamptz      NOT NULL DEFAULT now(),
    updated_at     timestamptz      NOT NULL DEFAULT now(),
    handled_until  timestamptz      NOT NULL,
    next_tick_at   timestamptz,
    UNIQUE (principal, name),
    CONSTRAINT schedules_cron_or_times CHECK ((cron IS NULL) <> (times IS NULL)),
    CONSTRAINT schedules_overlap_known CHECK (overlap IN ('skip', 'queue', 'replace')),
    CONSTRAINT schedules_catch_up_known CHECK (catch_up IN ('none', 'latest', 'all')),
    CONSTRAINT schedules_go_forward CHECK (next_tick_at > handled_until)
) WITH (fillfactor = 70);

CREATE INDEX schedules_due ON errand.schedules (next_tick_at) WHERE NOT paused AND next_tick_at IS NOT NULL;

COMMENT ON TABLE errand.schedules IS 'One row a schedule: which job is submitted, and when.';
COMMENT ON COLUMN errand.schedules.principal IS 'Who made it, and whose its jobs are';
COMMENT ON COLUMN errand.schedules.cron IS 'Five fields, a name such as @daily, or @every and a duration; null where times are given';
COMMENT ON COLUMN errand.schedules.times IS 'The ticks themselves; null where cron is given';
COMMENT ON COLUMN errand.schedules.zone IS 'The time zone in which cron is read';
COMMENT ON COLUMN errand.schedules.overlap IS
    'What a tick does while an earlier job of the schedule has not finished: skip, queue, replace';
COMMENT ON COLUMN errand.schedules.catch_up IS 'Which ticks of a downtime run: none, latest, all';
COMMENT ON COLUMN errand.schedules.catch_up_limit IS 'How many of them at most with all';
COMMENT ON COLUMN errand.schedules.jitter_seconds IS 'The job of a tick may start this much later, drawn at random';
COMMENT ON COLUMN errand.schedules.starts_at IS 'No tick is before it';
COMMENT ON COLUMN errand.schedules.ends_at IS 'No tick is after it';
COMMENT ON COLUMN errand.schedules.job IS 'The body of the submit. Holds secrets: env and stdin are in no answer and no view';
COMMENT ON COLUMN errand.schedules.handled_until IS
    'Every tick up to this time has been decided about, or was before the schedule or its last change; only grows';
COMMENT ON COLUMN errand.schedules.next_tick_at IS 'The first tick after that; null where there is none';

CREATE TABLE errand.schedule_ticks (
    schedule_id  uuid        NOT NULL REFERENCES errand.schedules ON DELETE CASCADE,
    tick_at      timestamptz NOT NULL,
    last_tick_at timestamptz NOT NULL,
    ticks        bigint      NOT NULL,
    job_id       uuid,
    skipped      text,
    detail       text,
    handled_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schedule_id, tick_at),
    CONSTRAINT schedule_ticks_job_or_reason CHECK ((job_id IS NULL) <> (skipped IS NULL)),
    CONSTRAINT schedule_ticks_skipped_known CHECK
        (skipped IN ('overlap', 'missed', 'paused', 'changed', 'submit_refused')),
    CONSTRAINT schedule_ticks_span CHECK
        (ticks > 0 AND last_tick_at >= tick_at AND (job_id IS NULL OR (ticks = 1 AND last_tick_at = tick_at)))
) WITH (autovacuum_vacuum_scale_factor = 0.02);

COMMENT ON TABLE errand.schedule_ticks IS
    'One row a tick of a schedule: its job, or why it was skipped. The newest thousand of each schedule are kept.';
COMMENT ON COLUMN errand.schedule_ticks.tick_at IS 'The time of the tick, or of the first where the row is about several';
COMMENT ON COLUMN errand.schedule_ticks.last_tick_at IS 'The last of several; else the same';
COMMENT ON COLUMN errand.schedule_ticks.ticks IS 'How many ticks the row is about; above one only where they were skipped';
COMMENT ON COLUMN errand.schedule_ticks.job_id IS 'The job, which may have been removed since';
COMMENT ON COLUMN errand.schedule_ticks.skipped IS 'Why there is no job: overlap, missed, paused, changed, submit_refused';
COMMENT ON COLUMN errand.schedule_ticks.detail IS 'One line for people about the reason';
COMMENT ON COLUMN errand.schedule_ticks.handled_at IS 'When it was decided, by the database''s clock';

ALTER TABLE errand.jobs
    ADD COLUMN schedule text,
    ADD COLUMN scheduled_at timestamptz;
COMMENT ON COLUMN errand.jobs.schedule IS 'The schedule that submitted it, by name';
COMMENT ON COLUMN errand.jobs.scheduled_at IS 'The tick of the schedule that it belongs to; null where somebody ran the schedule by hand';

-- Only jobs of schedules are in these. The first is what makes two jobs of one tick impossible.
CREATE UNIQUE INDEX jobs_of_ticks ON errand.jobs (principal, schedule, scheduled_at)
    WHERE schedule IS NOT NULL AND scheduled_at IS NOT NULL;
CREATE INDEX jobs_by_schedule ON errand.jobs (principal, schedule, created_at, id) WHERE schedule IS NOT NULL;
CREATE INDEX jobs_unfinished_of_schedules ON errand.jobs (principal, schedule)
    WHERE schedule IS NOT NULL AND state IN ('queued', 'running', 'retrying', 'held');
