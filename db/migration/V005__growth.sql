-- What keeps the tables fast as they grow: counts that are kept and not made, indexes for the lists, and
-- the traces of jobs that retention has removed.

-- One row a change: how many jobs a state of a queue has won or lost. The sum is the truth at every moment;
-- a housekeeper folds the rows. Nobody waits for anybody, as everybody would for one row a count.
CREATE TABLE errand.queue_counts (
    queue text   NOT NULL,
    state text   NOT NULL,
    jobs  bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

COMMENT ON TABLE errand.queue_counts IS
    'How many jobs each state of each queue has: the sum of jobs. Written by triggers, whoever changes jobs.';
COMMENT ON COLUMN errand.queue_counts.jobs IS 'A change, which may be negative; add them up';

CREATE FUNCTION errand.count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO errand.queue_counts (queue, state, jobs)
    SELECT queue, state, count(*) FROM added GROUP BY queue, state;
    RETURN NULL;
END $$;

CREATE FUNCTION errand.count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO errand.queue_counts (queue, state, jobs)
    SELECT queue, state, sum(jobs)
    FROM (SELECT queue, state, 1 AS jobs FROM added
          UNION ALL
          SELECT queue, state, -1 FROM removed) AS change
    GROUP BY queue, state HAVING sum(jobs) <> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION errand.count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO errand.queue_counts (queue, state, jobs)
    SELECT queue, state, -count(*) FROM removed GROUP BY queue, state;
    RETURN NULL;
END $$;

CREATE FUNCTION errand.count_none() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM errand.queue_counts;
    RETURN NULL;
END $$;

CREATE TRIGGER jobs_added AFTER INSERT ON errand.jobs
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION errand.count_added();
CREATE TRIGGER jobs_changed AFTER UPDATE ON errand.jobs
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION errand.count_changed();
CREATE TRIGGER jobs_removed AFTER DELETE ON errand.jobs
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION errand.count_removed();
CREATE TRIGGER jobs_emptied AFTER TRUNCATE ON errand.jobs
    FOR EACH STATEMENT EXECUTE FUNCTION errand.count_none();

-- Nobody changes jobs while the triggers are being made, so this is what they continue.
INSERT INTO errand.queue_counts (queue, state, jobs)
SELECT queue, state, count(*) FROM errand.jobs GROUP BY queue, state;

-- Lists, newest or oldest first. Retention goes by jobs_by_state too.
CREATE INDEX jobs_by_state ON errand.jobs (state, created_at, id);
CREATE INDEX jobs_by_queue ON errand.jobs (queue, created_at, id);
-- How long the oldest ready job of a queue has waited.
CREATE INDEX jobs_waiting ON errand.jobs (queue, run_at) WHERE state IN ('queued', 'retrying');

-- An insert-only table is vacuumed for its visibility only; rows are removed by retention.
ALTER TABLE errand.attempts SET (autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE errand.removed_jobs (
    id              uuid        PRIMARY KEY,
    principal       text        NOT NULL,
    idempotency_key text,
    removed_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX removed_jobs_age ON errand.removed_jobs (removed_at);

COMMENT ON TABLE errand.removed_jobs IS
    'Jobs that retention has removed, so that their ids and keys are not given out again for a while.';
