-- A worker may hold claims that it has not started yet, so a claim and a start are two moments.

ALTER TABLE errand.jobs ADD COLUMN claimed_at timestamptz;
COMMENT ON COLUMN errand.jobs.claimed_at IS 'When its latest attempt was claimed, by the database''s clock';
COMMENT ON COLUMN errand.jobs.started_at IS
    'When its command last started, by the database''s clock; null while a claim waits for its start, and for a job that never started';

ALTER TABLE errand.attempts
    ADD COLUMN claimed_at timestamptz,
    ALTER COLUMN started_at DROP NOT NULL;
COMMENT ON COLUMN errand.attempts.claimed_at IS
    'When it was claimed, by the database''s clock; null for attempts that were claimed before this column was';
COMMENT ON COLUMN errand.attempts.started_at IS
    'When its command started, by the database''s clock; null where it never did, or where its worker was lost before it said so';

ALTER TABLE errand.workers ADD COLUMN claims_waiting integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN errand.workers.claims_waiting IS
    'Claims that it held at its last heartbeat and had not started yet';

-- The CHECK asks this function. Now a running job need not have started. What was sound stays so, so no row has
-- to be looked at again; and a worker of the version before, which runs on during an upgrade, keeps all rules.
CREATE OR REPLACE FUNCTION errand.broken_rule(
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
                          THEN worker IS NULL OR worker_id IS NULL OR claim_token IS NULL OR attempt = 0
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
