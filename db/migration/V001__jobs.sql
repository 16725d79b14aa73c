-- The tables of Errand. Every object stands in schema errand; the migration tool creates it.

CREATE TABLE errand.jobs (
    id                   uuid        PRIMARY KEY,
    state                text        NOT NULL,
    reason               text,
    queue                text        NOT NULL,
    priority             smallint    NOT NULL,
    command              text[]      NOT NULL,
    attempt              integer     NOT NULL DEFAULT 0,
    max_attempts         integer     NOT NULL,
    charged_attempts     integer     NOT NULL DEFAULT 0,
    exit_code            smallint,
    signal               text,
    detail               text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    run_at               timestamptz NOT NULL,
    started_at           timestamptz,
    finished_at          timestamptz,
    duration_seconds     double precision,
    cancel_requested_at  timestamptz,
    expires_at           timestamptz,
    worker               text,
    stdout_bytes         bigint      NOT NULL DEFAULT 0,
    stdout_dropped_bytes bigint      NOT NULL DEFAULT 0,
    stderr_bytes         bigint      NOT NULL DEFAULT 0,
    stderr_dropped_bytes bigint      NOT NULL DEFAULT 0,
    labels               jsonb       NOT NULL DEFAULT '{}',
    concurrency_key      text,
    idempotency_key      text,
    principal            text        NOT NULL,
    retry_of             uuid,
    timeout_seconds      double precision NOT NULL,
    kill_grace_seconds   double precision NOT NULL,
    stdout_limit_bytes   integer     NOT NULL,
    stderr_limit_bytes   integer     NOT NULL,
    success_exit_codes   smallint[]  NOT NULL,
    on_lost              text        NOT NULL,
    backoff              jsonb       NOT NULL,
    retry                jsonb       NOT NULL,
    working_directory    text,
    env                  jsonb       NOT NULL DEFAULT '{}',
    stdin                text,
    fingerprint          bytea       NOT NULL,
    worker_id            uuid,
    claim_token          uuid,

    CONSTRAINT jobs_state_known CHECK
        (state IN ('queued', 'running', 'retrying', 'held', 'succeeded', 'failed', 'cancelled')),
    CONSTRAINT jobs_final_is_finished CHECK
        ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT jobs_running_is_claimed CHECK
        (CASE WHEN state = 'running'
              THEN worker IS NOT NULL AND worker_id IS NOT NULL AND claim_token IS NOT NULL
                   AND started_at IS NOT NULL AND attempt > 0
              ELSE worker_id IS NULL AND claim_token IS NULL END),
    CONSTRAINT jobs_reason_fits_state CHECK
        (CASE state
              WHEN 'queued' THEN reason IS NULL OR reason IN ('released', 'worker_unavailable')
              WHEN 'running' THEN reason IS NULL
              WHEN 'succeeded' THEN reason = 'success'
              WHEN 'held' THEN reason IN ('lost', 'released')
              ELSE reason IS NOT NULL END),
    CONSTRAINT jobs_attempt_was_made CHECK
        (attempt > 0 OR state IN ('queued', 'cancelled')),
    CONSTRAINT jobs_attempts_are_counted CHECK
        (charged_attempts BETWEEN 0 AND attempt AND charged_attempts <= max_attempts),
    CONSTRAINT jobs_exit_or_signal CHECK
        (exit_code IS NULL OR (signal IS NULL AND exit_code BETWEEN 0 AND 255)),
    CONSTRAINT jobs_success_exited CHECK
        (state <> 'succeeded' OR exit_code IS NOT NULL),
    CONSTRAINT jobs_cancel_is_pending_or_done CHECK
        (cancel_requested_at IS NULL OR state IN ('running', 'succeeded', 'cancelled')),
    CONSTRAINT jobs_command_fits CHECK (cardinality(command) BETWEEN 1 AND 1024)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);

-- Rows leave these indexes when they are claimed or finished, so finished rows cost the claim nothing.
CREATE INDEX jobs_ready ON errand.jobs (priority DESC, run_at, id)
    WHERE state IN ('queued', 'retrying');
CREATE INDEX jobs_running ON errand.jobs (worker_id) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_concurrency_key ON errand.jobs (concurrency_key)
    WHERE state = 'running' AND concurrency_key IS NOT NULL;
CREATE INDEX jobs_expiring ON errand.jobs (expires_at)
    WHERE state = 'queued' AND expires_at IS NOT NULL;
CREATE INDEX jobs_created ON errand.jobs (created_at, id);
CREATE INDEX jobs_labels ON errand.jobs USING gin (labels jsonb_path_ops) WHERE labels <> '{}';

COMMENT ON TABLE errand.jobs IS
    'One row a job, whatever its state, until retention removes it. Never change a state by hand: use the API.';
COMMENT ON COLUMN errand.jobs.id IS 'UUIDv7 made by the server, or the client''s own UUID';
COMMENT ON COLUMN errand.jobs.state IS
    'queued, running, retrying, held; final: succeeded, failed, cancelled';
COMMENT ON COLUMN errand.jobs.reason IS
    'Why it is in this state: the outcome of its latest attempt, or the cause (cancelled, expired, dependency_failed)';
COMMENT ON COLUMN errand.jobs.priority IS 'Higher runs first, -100 to 100';
COMMENT ON COLUMN errand.jobs.command IS 'The argv; it is never given to a shell';
COMMENT ON COLUMN errand.jobs.attempt IS 'Number of the latest attempt; only grows';
COMMENT ON COLUMN errand.jobs.max_attempts IS 'How many attempts may be charged';
COMMENT ON COLUMN errand.jobs.charged_attempts IS
    'Attempts that cost a try; those that were given back do not';
COMMENT ON COLUMN errand.jobs.exit_code IS 'Exit code of the latest attempt, null where a signal ended it';
COMMENT ON COLUMN errand.jobs.signal IS 'Signal that ended the latest attempt, such as SIGKILL';
COMMENT ON COLUMN errand.jobs.detail IS 'One line for people about the reason';
COMMENT ON COLUMN errand.jobs.created_at IS 'When it was accepted';
COMMENT ON COLUMN errand.jobs.run_at IS 'Not claimed before this time';
COMMENT ON COLUMN errand.jobs.started_at IS 'When its latest attempt was claimed';
COMMENT ON COLUMN errand.jobs.finished_at IS 'When it reached a final state';
COMMENT ON COLUMN errand.jobs.duration_seconds IS
    'Wall-clock seconds of the latest ended attempt, by the worker''s monotonic clock';
COMMENT ON COLUMN errand.jobs.cancel_requested_at IS
    'A running job whose cancel was asked for; it is cancelled once its process tree has ended';
COMMENT ON COLUMN errand.jobs.expires_at IS 'Cancelled at this time if it never started';
COMMENT ON COLUMN errand.jobs.worker IS 'Name of the worker of the latest attempt';
COMMENT ON COLUMN errand.jobs.stdout_bytes IS 'Bytes that the latest attempt printed, kept or not';
COMMENT ON COLUMN errand.jobs.stdout_dropped_bytes IS 'Of these, the bytes that were not kept';
COMMENT ON COLUMN errand.jobs.stderr_bytes IS 'Bytes that the latest attempt printed, kept or not';
COMMENT ON COLUMN errand.jobs.stderr_dropped_bytes IS 'Of these, the bytes that were not kept';
COMMENT ON COLUMN errand.jobs.labels IS 'The client''s own names and values';
COMMENT ON COLUMN errand.jobs.concurrency_key IS 'At most one job with this key runs at a time';
COMMENT ON COLUMN errand.jobs.idempotency_key IS 'The key it was submitted with';
COMMENT ON COLUMN errand.jobs.principal IS 'Who submitted it';
COMMENT ON COLUMN errand.jobs.retry_of IS 'The finished job that this one tries again';
COMMENT ON COLUMN errand.jobs.timeout_seconds IS 'An attempt is ended after this time';
COMMENT ON COLUMN errand.jobs.kill_grace_seconds IS 'Time between SIGTERM and SIGKILL';
COMMENT ON COLUMN errand.jobs.stdout_limit_bytes IS 'How much is kept, half of it head and half tail';
COMMENT ON COLUMN errand.jobs.stderr_limit_bytes IS 'How much is kept, half of it head and half tail';
COMMENT ON COLUMN errand.jobs.success_exit_codes IS 'Exit codes that count as success';
COMMENT ON COLUMN errand.jobs.on_lost IS 'When its worker dies: retry, fail or hold';
COMMENT ON COLUMN errand.jobs.backoff IS 'base_seconds, factor, max_seconds, jitter';
COMMENT ON COLUMN errand.jobs.retry IS 'Rules in order; the first match decides';
COMMENT ON COLUMN errand.jobs.working_directory IS 'Where the command starts; null is a private temporary directory';
COMMENT ON COLUMN errand.jobs.env IS 'The job''s own environment. Secret: in no answer and no view';
COMMENT ON COLUMN errand.jobs.stdin IS 'What the command reads. Secret: in no answer and no view';
COMMENT ON COLUMN errand.jobs.fingerprint IS 'SHA-256 of the canonical request, to tell a repeat from another';
COMMENT ON COLUMN errand.jobs.worker_id IS 'Incarnation of the worker that runs it now';
COMMENT ON COLUMN errand.jobs.claim_token IS 'Drawn at each claim; every later write about the attempt names it';

CREATE TABLE errand.attempts (
    job_id               uuid        NOT NULL,
    attempt              integer     NOT NULL,
    outcome              text        NOT NULL,
    exit_code            smallint,
    signal               text,
    detail               text,
    started_at           timestamptz NOT NULL,
    finished_at          timestamptz NOT NULL DEFAULT now(),
    duration_seconds     double precision,
    cpu_user_seconds     double precision,
    cpu_system_seconds   double precision,
    memory_peak_bytes    bigint,
    worker               text        NOT NULL,
    stdout_bytes         bigint      NOT NULL DEFAULT 0,
    stdout_dropped_bytes bigint      NOT NULL DEFAULT 0,
    stderr_bytes         bigint      NOT NULL DEFAULT 0,
    stderr_dropped_bytes bigint      NOT NULL DEFAULT 0,
    stdout               bytea       NOT NULL DEFAULT '',
    stderr               bytea       NOT NULL DEFAULT '',
    stdout_head_bytes    integer     NOT NULL DEFAULT 0,
    stderr_head_bytes    integer     NOT NULL DEFAULT 0,

    PRIMARY KEY (job_id, attempt),
    CONSTRAINT attempts_outcome_known CHECK
        (outcome IN ('success', 'exit_code', 'signal', 'timeout', 'out_of_memory', 'spawn_failed',
                     'worker_unavailable', 'lost', 'released', 'cancelled')),
    CONSTRAINT attempts_exit_or_signal CHECK
        (exit_code IS NULL OR (signal IS NULL AND exit_code BETWEEN 0 AND 255)),
    CONSTRAINT attempts_output_adds_up CHECK
        (stdout_bytes = stdout_dropped_bytes + octet_length(stdout)
         AND stderr_bytes = stderr_dropped_bytes + octet_length(stderr)
         AND stdout_head_bytes BETWEEN 0 AND octet_length(stdout)
         AND stderr_head_bytes BETWEEN 0 AND octet_length(stderr))
);

COMMENT ON TABLE errand.attempts IS 'One row a try that has ended, with what it printed.';
COMMENT ON COLUMN errand.attempts.outcome IS
    'success, exit_code, signal, timeout, out_of_memory, spawn_failed, worker_unavailable, lost, released, cancelled';
COMMENT ON COLUMN errand.attempts.detail IS 'One line for people about the outcome';
COMMENT ON COLUMN errand.attempts.started_at IS 'When it was claimed, by the database''s clock';
COMMENT ON COLUMN errand.attempts.finished_at IS 'When its end was recorded, by the database''s clock';
COMMENT ON COLUMN errand.attempts.duration_seconds IS
    'From start to end of the process, by the worker''s monotonic clock; null where it never started';
COMMENT ON COLUMN errand.attempts.cpu_user_seconds IS 'User CPU of the command and the children it waited for';
COMMENT ON COLUMN errand.attempts.cpu_system_seconds IS 'System CPU of the command and the children it waited for';
COMMENT ON COLUMN errand.attempts.memory_peak_bytes IS 'Peak resident memory of the command''s process, null where unknown';
COMMENT ON COLUMN errand.attempts.stdout IS 'The kept raw bytes: the head, then the tail';
COMMENT ON COLUMN errand.attempts.stderr IS 'The kept raw bytes: the head, then the tail';
COMMENT ON COLUMN errand.attempts.stdout_bytes IS 'Bytes printed, kept or not';
COMMENT ON COLUMN errand.attempts.stdout_dropped_bytes IS 'Bytes printed and not kept';
COMMENT ON COLUMN errand.attempts.stdout_head_bytes IS 'Where in the kept bytes the dropped ones are missing';
COMMENT ON COLUMN errand.attempts.stderr_head_bytes IS 'Where in the kept bytes the dropped ones are missing';

CREATE TABLE errand.idempotency_keys (
    principal       text        NOT NULL,
    idempotency_key text        NOT NULL,
    job_id          uuid        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, idempotency_key)
);

COMMENT ON TABLE errand.idempotency_keys IS
    'One row a key and caller; outlives its job, so that a late repeat starts nothing.';

CREATE TABLE errand.workers (
    id            uuid             PRIMARY KEY,
    name          text             NOT NULL,
    state         text             NOT NULL DEFAULT 'live',
    slots         integer          NOT NULL,
    busy          integer          NOT NULL DEFAULT 0,
    queues        text[]           NOT NULL,
    lease_seconds double precision NOT NULL,
    started_at    timestamptz      NOT NULL DEFAULT now(),
    heartbeat_at  timestamptz      NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    version       text             NOT NULL,
    pid           bigint           NOT NULL,
    guarantees    text             NOT NULL,
    CONSTRAINT workers_state_known CHECK (state IN ('live', 'stopped', 'lost')),
    CONSTRAINT workers_ended CHECK ((state = 'live') = (ended_at IS NULL))
) WITH (fillfactor = 50);

CREATE INDEX workers_live ON errand.workers (heartbeat_at) WHERE state = 'live';

COMMENT ON TABLE errand.workers IS
    'One row a worker incarnation: a restarted worker is another one, whatever its name.';
COMMENT ON COLUMN errand.workers.id IS 'Drawn at each start of the worker';
COMMENT ON COLUMN errand.workers.name IS 'Host name, for people; decides nothing';
COMMENT ON COLUMN errand.workers.state IS 'live, stopped (by itself), lost (given up by the others)';
COMMENT ON COLUMN errand.workers.busy IS 'Commands that it ran at its last heartbeat';
COMMENT ON COLUMN errand.workers.queues IS 'The queues that it serves; * is all';
COMMENT ON COLUMN errand.workers.lease_seconds IS 'After this silence it is given up';
COMMENT ON COLUMN errand.workers.heartbeat_at IS 'Its last sign of life, by the database''s clock';
COMMENT ON COLUMN errand.workers.guarantees IS 'What its host lets it promise about process trees';

CREATE TABLE errand.queues (
    name       text        PRIMARY KEY,
    paused     boolean     NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE errand.queues IS 'Settings of queues that have any; a queue needs no row to be used.';
COMMENT ON COLUMN errand.queues.paused IS 'Its jobs wait; those that run go on';

-- One word of an argv as a shell would want it, so that a line can be pasted.
CREATE FUNCTION errand.shell_quoted(words text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT string_agg(
                   CASE WHEN word ~ '^[A-Za-z0-9_@%+=:,./-]+$' THEN word
                        ELSE '''' || replace(word, '''', '''\''''') || '''' END,
                   ' ' ORDER BY place)
        FROM unnest(words) WITH ORDINALITY AS w (word, place)
    $$;

-- The last line of kept bytes, shown safely: what is not printable ASCII becomes a dot.
CREATE FUNCTION errand.last_line(output bytea) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
        SELECT regexp_replace(
                   substring(rtrim(replace(encode(
                       substring(output FROM greatest(1, octet_length(output) - 511)), 'escape'),
                       E'\\012', E'\n'), E'\n') FROM '[^\n]*$'),
                   '[^ -~]', '.', 'g')
    $$;

CREATE VIEW errand.jobs_overview AS
    SELECT j.id,
           j.state,
           j.reason,
           j.queue,
           errand.shell_quoted(j.command) AS command,
           j.attempt || ' of ' || j.max_attempts AS attempt,
           j.exit_code,
           date_trunc('second', now() - j.created_at) AS age,
           CASE WHEN j.state = 'running' THEN date_trunc('second', now() - j.started_at)
                ELSE make_interval(secs => round(j.duration_seconds::numeric, 3)::float8) END AS duration,
           errand.last_line(a.stderr) AS last_stderr
    FROM errand.jobs j
    LEFT JOIN errand.attempts a ON a.job_id = j.id AND a.attempt = j.attempt;

COMMENT ON VIEW errand.jobs_overview IS 'What a person wants to see of a job, one line each.';
