-- Every change of a job's state leaves an event, written by the statement that makes it, as the counts are
-- now: triggers with transition tables cost a busy worker a quarter of its turn.

CREATE TABLE errand.job_events (
    job_id      uuid        NOT NULL,
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    from_state  text,
    to_state    text        NOT NULL,
    reason      text,
    attempt     integer     NOT NULL,
    claim_token uuid,
    actor       text        NOT NULL,
    PRIMARY KEY (job_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02);

COMMENT ON TABLE errand.job_events IS
    'One row a change of a job''s state, never updated; removed with its job.';
COMMENT ON COLUMN errand.job_events.id IS
    'Grows with each change of one job; says nothing about two jobs';
COMMENT ON COLUMN errand.job_events.at IS 'By the database''s clock, while the job''s row was locked';
COMMENT ON COLUMN errand.job_events.from_state IS
    'Null for the first; the same as to_state where a cancel was asked for';
COMMENT ON COLUMN errand.job_events.reason IS
    'That of the job from then on, or cancel_requested';
COMMENT ON COLUMN errand.job_events.claim_token IS
    'Of the claim that began or ended by it. Secret: in no answer';
COMMENT ON COLUMN errand.job_events.actor IS
    'Who: client NAME, worker NAME, rescuer, clock (an expiry) or migration';

-- The history of the jobs that are there begins here.
INSERT INTO errand.job_events (job_id, to_state, reason, attempt, claim_token, actor)
SELECT id, state, reason, attempt, claim_token, 'migration' FROM errand.jobs;

DROP TRIGGER jobs_added ON errand.jobs;
DROP TRIGGER jobs_changed ON errand.jobs;
DROP TRIGGER jobs_removed ON errand.jobs;
DROP TRIGGER jobs_emptied ON errand.jobs;
DROP FUNCTION errand.count_added(), errand.count_changed(), errand.count_removed(), errand.count_none();

COMMENT ON TABLE errand.queue_counts IS
    'How many jobs each state of each queue has: the sum of jobs. Written by whatever changes a job.';

-- The same rules as before in one function, which a session compiles once; PostgreSQL reads and plans the
-- text of each CHECK anew in every statement that writes the table.
CREATE FUNCTION errand.broken_rule(
    state text, reason text, attempt integer, charged_attempts integer, max_attempts integer,
    exit_code smallint, signal text, started_at timestamptz, finished_at timestamptz,
    cancel_requested_at timestamptz, worker text, worker_id uuid, claim_token uuid, command text[])
    RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
        BEGIN
            RETURN CASE
                WHEN state NOT IN ('queued', 'running', 'retrying', 'held', 'succeeded', 'failed', 'cancelled')
                    THEN 'the state is a known one'
                WHEN (state IN ('succeeded', 'failed', 'cancelled')) <> (finished_at IS NOT NULL)
                    THEN 'a job has finished_at exactly when it is final'
                WHEN CASE WHEN state = 'running'
                          THEN worker IS NULL OR worker_id IS NULL OR claim_token IS NULL
                               OR started_at IS NULL OR attempt = 0
                          ELSE worker_id IS NOT NULL OR claim_token IS NOT NULL END
                    THEN 'a job is claimed exactly when it is running'
                WHEN NOT CASE state
                          WHEN 'queued' THEN reason IS NULL OR reason IN ('released', 'worker_unavailable')
                          WHEN 'running' THEN reason IS NULL
                          WHEN 'succeeded' THEN reason IS NOT DISTINCT FROM 'success'
                          WHEN 'held' THEN reason IS NOT NULL AND reason IN ('lost', 'released')
                          ELSE reason IS NOT NULL END
                    THEN 'the reason fits the state'
                WHEN attempt <= 0 AND state NOT IN ('queued', 'cancelled')
                    THEN 'only a job that was tried gets beyond queued'
                WHEN charged_attempts NOT BETWEEN 0 AND attempt OR charged_attempts > max_attempts
                    THEN 'charged attempts are attempts, and no more than allowed'
                WHEN exit_code IS NOT NULL AND (signal IS NOT NULL OR exit_code NOT BETWEEN 0 AND 255)
                    THEN 'an exit code from 0 to 255, or a signal'
                WHEN state = 'succeeded' AND exit_code IS NULL
                    THEN 'a success has exited'
                WHEN cancel_requested_at IS NOT NULL AND state NOT IN ('running', 'succeeded', 'cancelled')
                    THEN 'a cancel is pending or done'
                WHEN coalesce(cardinality(command), 0) NOT BETWEEN 1 AND 1024
                    THEN 'a command has 1 to 1024 words'
            END;
        END
    $$;

COMMENT ON FUNCTION errand.broken_rule IS 'The rule that a row of jobs breaks, or null; a CHECK asks it.';

CREATE FUNCTION errand.attempt_is_sound(
    outcome text, exit_code smallint, signal text, stdout_bytes bigint, stdout_dropped_bytes bigint,
    stdout_kept integer, stdout_head_bytes integer, stderr_bytes bigint, stderr_dropped_bytes bigint,
    stderr_kept integer, stderr_head_bytes integer)
    RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
        BEGIN
            RETURN outcome IN ('success', 'exit_code', 'signal', 'timeout', 'out_of_memory', 'spawn_failed',
                               'worker_unavailable', 'lost', 'released', 'cancelled')
                AND (exit_code IS NULL OR (signal IS NULL AND exit_code BETWEEN 0 AND 255))
                AND stdout_bytes = stdout_dropped_bytes + stdout_kept
                AND stderr_bytes = stderr_dropped_bytes + stderr_kept
                AND stdout_head_bytes BETWEEN 0 AND stdout_kept
                AND stderr_head_bytes BETWEEN 0 AND stderr_kept;
        END
    $$;

ALTER TABLE errand.jobs
    DROP CONSTRAINT jobs_state_known,
    DROP CONSTRAINT jobs_final_is_finished,
    DROP CONSTRAINT jobs_running_is_claimed,
    DROP CONSTRAINT jobs_reason_fits_state,
    DROP CONSTRAINT jobs_attempt_was_made,
    DROP CONSTRAINT jobs_attempts_are_counted,
    DROP CONSTRAINT jobs_exit_or_signal,
    DROP CONSTRAINT jobs_success_exited,
    DROP CONSTRAINT jobs_cancel_is_pending_or_done,
    DROP CONSTRAINT jobs_command_fits,
    ADD CONSTRAINT jobs_break_no_rule CHECK (errand.broken_rule(
        state, reason, attempt, charged_attempts, max_attempts, exit_code, signal, started_at, finished_at,
        cancel_requested_at, worker, worker_id, claim_token, command) IS NULL) NOT VALID;

ALTER TABLE errand.attempts
    DROP CONSTRAINT attempts_outcome_known,
    DROP CONSTRAINT attempts_exit_or_signal,
    DROP CONSTRAINT attempts_output_adds_up,
    ADD CONSTRAINT attempts_are_sound CHECK (errand.attempt_is_sound(
        outcome, exit_code, signal, stdout_bytes, stdout_dropped_bytes, octet_length(stdout), stdout_head_bytes,
        stderr_bytes, stderr_dropped_bytes, octet_length(stderr), stderr_head_bytes)) NOT VALID;
