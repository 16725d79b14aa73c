-- Changes of many jobs at once: each is a row that any server carries on, step by step.

CREATE TABLE errand.operations (
    id               uuid        PRIMARY KEY,
    principal        text        NOT NULL,
    kind             text        NOT NULL,
    filter           jsonb       NOT NULL,
    set              jsonb,
    state            text        NOT NULL DEFAULT 'running',
    total            bigint,
    done             bigint      NOT NULL DEFAULT 0,
    skipped          bigint      NOT NULL DEFAULT 0,
    errors           bigint      NOT NULL DEFAULT 0,
    detail           text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    finished_at      timestamptz,
    idempotency_key  text,
    fingerprint      bytea       NOT NULL,
    after_created_at timestamptz NOT NULL DEFAULT '-infinity',
    after_id         uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    next_step_at     timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT operations_state_known CHECK
        (state IN ('running', 'stopping', 'stopped', 'finished', 'failed')),
    CONSTRAINT operations_final_is_finished CHECK
        ((state IN ('stopped', 'finished', 'failed')) = (finished_at IS NOT NULL)),
    CONSTRAINT operations_counts CHECK (done >= 0 AND skipped >= 0 AND errors >= 0 AND total >= 0)
) WITH (fillfactor = 50);

CREATE UNIQUE INDEX operations_key ON errand.operations (principal, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX operations_unfinished ON errand.operations (next_step_at)
    WHERE state IN ('running', 'stopping');
CREATE INDEX operations_by_caller ON errand.operations (principal, created_at, id);
CREATE INDEX operations_age ON errand.operations (finished_at) WHERE finished_at IS NOT NULL;

COMMENT ON TABLE errand.operations IS
    'One row a bulk change of jobs. A step changes jobs and this row in one transaction.';
COMMENT ON COLUMN errand.operations.principal IS 'Who asked for it; it changes only jobs of this caller';
COMMENT ON COLUMN errand.operations.kind IS 'cancel, release, retry, delete or update';
COMMENT ON COLUMN errand.operations.filter IS 'Which jobs; a job that was created after the operation is never one';
COMMENT ON COLUMN errand.operations.set IS 'The new values of an update';
COMMENT ON COLUMN errand.operations.state IS
    'running, stopping (ends before its next step); final: stopped, finished, failed';
COMMENT ON COLUMN errand.operations.total IS
    'Jobs that matched when it was created; null where they were too many to be counted in time';
COMMENT ON COLUMN errand.operations.done IS 'Jobs that it has changed; of a running job, its cancel was asked for';
COMMENT ON COLUMN errand.operations.skipped IS 'Jobs that had changed meanwhile and no longer matched';
COMMENT ON COLUMN errand.operations.errors IS 'Jobs whose change the database refused';
COMMENT ON COLUMN errand.operations.detail IS 'One line about the last error';
COMMENT ON COLUMN errand.operations.updated_at IS 'When its last step ended';
COMMENT ON COLUMN errand.operations.finished_at IS 'When it reached a final state';
COMMENT ON COLUMN errand.operations.idempotency_key IS
    'The key it was created with; keys of operations and of jobs are two spaces';
COMMENT ON COLUMN errand.operations.fingerprint IS 'SHA-256 of the canonical request, to tell a repeat from another';
COMMENT ON COLUMN errand.operations.after_created_at IS
    'Its position: jobs are read in the order of created_at and id, and the next step begins behind this one';
COMMENT ON COLUMN errand.operations.after_id IS 'The id that goes with after_created_at';
COMMENT ON COLUMN errand.operations.next_step_at IS 'No step begins before this time';

-- What a change did that left the state as it was: an update of priority, queue or run_at.
ALTER TABLE errand.job_events ADD COLUMN detail text;
COMMENT ON COLUMN errand.job_events.detail IS 'What an update changed, such as: priority 0 to 5';
COMMENT ON COLUMN errand.job_events.from_state IS
    'Null for the first; the same as to_state where a cancel was asked for, and for an update';
COMMENT ON COLUMN errand.job_events.actor IS
    'Who: client NAME (with the operation, where it was one), worker NAME, rescuer, clock (an expiry) or migration';
COMMENT ON TABLE errand.removed_jobs IS
    'Jobs that retention or a client has removed, so that their ids and keys are not given out again for a while.';
