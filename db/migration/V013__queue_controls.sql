-- What an operator decides about a queue: how much of it runs, how fast, what its jobs get by default, and when
-- it stops accepting or running jobs.

ALTER TABLE errand.queues
    ADD COLUMN max_running integer CHECK (max_running > 0),
    ADD COLUMN rate_per_second double precision CHECK (rate_per_second > 0),
    ADD COLUMN burst double precision CHECK (burst >= 1),
    ADD COLUMN weight double precision NOT NULL DEFAULT 1 CHECK (weight > 0),
    ADD COLUMN defaults jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN max_depth bigint CHECK (max_depth > 0),
    ADD COLUMN max_ready_age_seconds double precision CHECK (max_ready_age_seconds > 0),
    ADD COLUMN overload text NOT NULL DEFAULT 'refuse' CHECK (overload IN ('refuse', 'warn')),
    ADD COLUMN hold_after_lost_workers integer CHECK (hold_after_lost_workers > 0),
    ADD COLUMN circuit_failure_ratio double precision
        CHECK (circuit_failure_ratio > 0 AND circuit_failure_ratio <= 1),
    ADD COLUMN circuit_window_seconds double precision NOT NULL DEFAULT 60,
    ADD COLUMN circuit_minimum_attempts integer NOT NULL DEFAULT 10,
    ADD COLUMN circuit_outcomes text[] NOT NULL
        DEFAULT '{exit_code,signal,timeout,out_of_memory,spawn_failed}',
    ADD COLUMN circuit_probe_seconds double precision NOT NULL DEFAULT 10,
    ADD COLUMN circuit_max_probe_seconds double precision NOT NULL DEFAULT 600,
    ADD COLUMN circuit_state text NOT NULL DEFAULT 'closed'
        CHECK (circuit_state IN ('closed', 'open', 'half_open')),
    ADD COLUMN circuit_changed_at timestamptz,
    ADD COLUMN circuit_probes integer NOT NULL DEFAULT 0,
    ADD COLUMN circuit_probe_at timestamptz,
    ADD COLUMN circuit_probe_job uuid,
    ADD COLUMN tokens double precision,
    ADD COLUMN tokens_at timestamptz,
    ADD COLUMN limited boolean NOT NULL GENERATED ALWAYS AS
        (paused OR max_running IS NOT NULL OR rate_per_second IS NOT NULL OR circuit_state <> 'closed') STORED;
CREATE INDEX queues_limited ON errand.queues (name) WHERE limited;
CREATE INDEX queues_with_circuit ON errand.queues (name) WHERE circuit_failure_ratio IS NOT NULL;

COMMENT ON COLUMN errand.queues.max_running IS
    'At most so many of its jobs run at once, over all workers; null is no limit. Claims that wait for a slot count as running';
COMMENT ON COLUMN errand.queues.rate_per_second IS
    'At most so many of its jobs are claimed per second over all workers, on average; null is no limit';
COMMENT ON COLUMN errand.queues.burst IS
    'How many may be claimed at once after a quiet time; null is the larger of 1 and rate_per_second';
COMMENT ON COLUMN errand.queues.weight IS
    'Its share of the slots of a worker, against the other queues with ready jobs of the same priority';
COMMENT ON COLUMN errand.queues.defaults IS 'Values for fields that a job of this queue does not name';
COMMENT ON COLUMN errand.queues.max_depth IS
    'A submit that would make more jobs wait than this is overload; null is no limit';
COMMENT ON COLUMN errand.queues.max_ready_age_seconds IS
    'While its oldest ready job has waited longer than this, a submit is overload; null is no limit';
COMMENT ON COLUMN errand.queues.overload IS 'What a submit gets then: refuse, or warn (accepted with a header)';
COMMENT ON COLUMN errand.queues.hold_after_lost_workers IS
    'A job is held once so many workers were lost while it was their only job; null is never';
COMMENT ON COLUMN errand.queues.circuit_failure_ratio IS
    'The circuit opens when this share of the attempts in the window has failed; null is no circuit breaker';
COMMENT ON COLUMN errand.queues.circuit_window_seconds IS 'Length of the sliding window';
COMMENT ON COLUMN errand.queues.circuit_minimum_attempts IS 'With fewer attempts in the window it stays closed';
COMMENT ON COLUMN errand.queues.circuit_outcomes IS 'The outcomes that count as failures';
COMMENT ON COLUMN errand.queues.circuit_probe_seconds IS
    'From the opening to the first probe, and doubled with each that fails';
COMMENT ON COLUMN errand.queues.circuit_max_probe_seconds IS 'The longest time between two probes';
COMMENT ON COLUMN errand.queues.circuit_state IS
    'closed: jobs run; open: none is claimed; half_open: one is tried, the probe';
COMMENT ON COLUMN errand.queues.circuit_changed_at IS 'When the circuit last changed its state';
COMMENT ON COLUMN errand.queues.circuit_probes IS 'Probes since it opened';
COMMENT ON COLUMN errand.queues.circuit_probe_at IS
    'From when the next probe may be claimed; infinity where an operator has opened the circuit';
COMMENT ON COLUMN errand.queues.circuit_probe_job IS 'The job of the latest probe';
COMMENT ON COLUMN errand.queues.tokens IS 'Tokens of the rate limit at tokens_at; null is a full bucket';
COMMENT ON COLUMN errand.queues.tokens_at IS 'When tokens was written, by the database''s clock';
COMMENT ON COLUMN errand.queues.limited IS 'A claim has to ask how many jobs it may give (errand.queue_room)';

-- Attempts and failures of queues with a circuit breaker, by slices of their window.
CREATE TABLE errand.circuit_counts (
    queue    text        NOT NULL,
    slice    timestamptz NOT NULL,
    attempts bigint      NOT NULL,
    failures bigint      NOT NULL,
    PRIMARY KEY (queue, slice)
);

COMMENT ON TABLE errand.circuit_counts IS
    'Attempts of queues with a circuit breaker, one row for each twentieth of the window; older rows are removed';

-- What happened to queues: who changed settings, and when circuits opened and closed.
CREATE TABLE errand.queue_events (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue  text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    event  text        NOT NULL,
    actor  text        NOT NULL,
    detail text
);
CREATE INDEX queue_events_queue ON errand.queue_events (queue, id);
CREATE INDEX queue_events_at ON errand.queue_events (at);

COMMENT ON TABLE errand.queue_events IS
    'Changes of a queue: settings, and its circuit. Removed after 30 days';
COMMENT ON COLUMN errand.queue_events.event IS 'settings_changed, circuit_opened, circuit_probed or circuit_closed';
COMMENT ON COLUMN errand.queue_events.actor IS 'client NAME, or circuit breaker';

-- Several jobs of one key may run at once.
ALTER TABLE errand.jobs
    ADD COLUMN concurrency_limit integer NOT NULL DEFAULT 1 CHECK (concurrency_limit > 0);
COMMENT ON COLUMN errand.jobs.concurrency_limit IS
    'It starts only while fewer jobs of its concurrency key run than this';
COMMENT ON COLUMN errand.jobs.concurrency_key IS
    'At most concurrency_limit jobs with this key run at a time';

DROP INDEX errand.jobs_concurrency_key;
CREATE INDEX jobs_running_by_key ON errand.jobs (concurrency_key)
    WHERE state = 'running' AND concurrency_key IS NOT NULL;
-- Counted for every claim from a queue with max_running; it holds running jobs only.
CREATE INDEX jobs_running_by_queue ON errand.jobs (queue) WHERE state = 'running';
-- Every claim goes by queue now.
DROP INDEX errand.jobs_ready;

ALTER TABLE errand.workers ADD COLUMN claims_nothing_because text;
COMMENT ON COLUMN errand.workers.claims_nothing_because IS
    'Why it claimed no jobs at its last heartbeat although it runs: a fault of its host; null is no such reason';

-- A token bucket: it gains rate_per_second tokens a second, holds at most burst, and a claim takes one a job.
CREATE FUNCTION errand.tokens_now(q errand.queues) RETURNS double precision
    LANGUAGE sql VOLATILE
    AS $$
        SELECT least(
            coalesce(q.burst, greatest(1, q.rate_per_second)),
            coalesce(q.tokens, 'infinity') + q.rate_per_second
                * greatest(0, extract(epoch FROM clock_timestamp() - coalesce(q.tokens_at, clock_timestamp()))))
    $$;

-- A job that was alone on the workers that it took down can be held instead of being tried again.
ALTER TABLE errand.workers ADD COLUMN lost_jobs integer;
COMMENT ON COLUMN errand.workers.lost_jobs IS 'How many jobs it held when it was given up; null where it was not';

-- How many jobs of a queue may be claimed now: the one rule for pauses, limits, rates and circuits.
-- With locks, the row of the queue stays locked until the transaction ends, and what is counted is what has
-- been committed by then: a volatile function takes a snapshot for each of its statements. So two claims never
-- give the same place twice, and running jobs count until their lease is over, because they are rows.
CREATE FUNCTION errand.queue_room(queue_name text, most integer, locks boolean) RETURNS integer
    LANGUAGE plpgsql VOLATILE
    AS $$
        DECLARE
            q errand.queues;
            room double precision := most;
        BEGIN
            IF locks THEN
                SELECT * INTO q FROM errand.queues WHERE name = queue_name FOR NO KEY UPDATE;
            ELSE
                SELECT * INTO q FROM errand.queues WHERE name = queue_name;
            END IF;
            IF q.name IS NULL THEN
                RETURN most;
            END IF;
            IF q.paused THEN
                RETURN 0;
            END IF;
            IF q.circuit_state <> 'closed' THEN
                IF q.circuit_probe_at > clock_timestamp() OR EXISTS (
                    SELECT FROM errand.jobs WHERE id = q.circuit_probe_job AND state = 'running') THEN
                    RETURN 0;
                END IF;
                room := 1;
            END IF;
            IF q.rate_per_second IS NOT NULL THEN
                room := least(room, floor(errand.tokens_now(q)));
            END IF;
            IF q.max_running IS NOT NULL AND room > 0 THEN
                room := least(room, q.max_running - (
                    SELECT count(*) FROM (
                        SELECT FROM errand.jobs
                        WHERE state = 'running' AND queue = queue_name LIMIT q.max_running) AS running));
            END IF;
            RETURN greatest(room, 0)::integer;
        END
    $$;

-- How many jobs of a concurrency key run. The lock, which only claims take, makes them come one after the other.
CREATE FUNCTION errand.running_of_key(key text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended(key, 20261130));
            RETURN (SELECT count(*) FROM errand.jobs WHERE state = 'running' AND concurrency_key = key);
        END
    $$;

-- After how many seconds time alone may let a job of a queue be claimed; null where it does not.
CREATE FUNCTION errand.queue_wait(q errand.queues) RETURNS double precision
    LANGUAGE plpgsql VOLATILE
    AS $$
        DECLARE
            missing double precision;
        BEGIN
            IF q.paused OR q.circuit_probe_at = 'infinity' THEN
                RETURN NULL;
            END IF;
            IF q.circuit_state <> 'closed' AND q.circuit_probe_at > clock_timestamp() THEN
                RETURN extract(epoch FROM q.circuit_probe_at - clock_timestamp());
            END IF;
            missing := 1 - errand.tokens_now(q);
            RETURN CASE WHEN missing > 0 THEN missing / q.rate_per_second END;
        END
    $$;

-- Counts attempts of a queue for its circuit breaker, and opens or closes the circuit: the one rule for that.
-- jobs are those whose attempts have just ended, and outcomes says how. Only success and circuit_outcomes count.
-- Returns whether the state of the circuit has changed.
CREATE FUNCTION errand.record_attempts(queue_name text, jobs uuid[], outcomes text[]) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    AS $$
        DECLARE
            q errand.queues;
            slice_seconds double precision;
            succeeded uuid[];
            failed uuid[];
            counted record;
        BEGIN
            SELECT * INTO q FROM errand.queues WHERE name = queue_name FOR NO KEY UPDATE;
            IF q.circuit_failure_ratio IS NULL OR q.circuit_probe_at = 'infinity' THEN
                RETURN false;
            END IF;
            SELECT array_agg(a.job) FILTER (WHERE a.outcome = 'success'),
                   array_agg(a.job) FILTER (WHERE a.outcome = ANY (q.circuit_outcomes))
            INTO succeeded, failed
            FROM unnest(jobs, outcomes) AS a (job, outcome);
            IF q.circuit_state <> 'closed' THEN
                IF q.circuit_probe_job = ANY (succeeded) THEN
                    UPDATE errand.queues SET circuit_state = 'closed', circuit_changed_at = now(),
                        circuit_probes = 0, circuit_probe_at = NULL, circuit_probe_job = NULL
                    WHERE name = queue_name;
                    INSERT INTO errand.queue_events (queue, event, actor, detail)
                    VALUES (queue_name, 'circuit_closed', 'circuit breaker',
                        format('job %s, the probe, succeeded', q.circuit_probe_job));
                    RETURN true;
                ELSIF q.circuit_state = 'half_open' AND q.circuit_probe_job = ANY (failed) THEN
                    UPDATE errand.queues SET circuit_state = 'open', circuit_changed_at = now()
                    WHERE name = queue_name;
                    INSERT INTO errand.queue_events (queue, event, actor, detail)
                    VALUES (queue_name, 'circuit_probed', 'circuit breaker',
                        format('job %s, the probe, failed', q.circuit_probe_job));
                    RETURN true;
                END IF;
                RETURN false;
            END IF;
            slice_seconds := q.circuit_window_seconds / 20;
            INSERT INTO errand.circuit_counts AS c (queue, slice, attempts, failures)
            VALUES (queue_name,
                to_timestamp(floor(extract(epoch FROM clock_timestamp()) / slice_seconds) * slice_seconds),
                coalesce(cardinality(succeeded), 0) + coalesce(cardinality(failed), 0),
                coalesce(cardinality(failed), 0))
            ON CONFLICT (queue, slice) DO UPDATE
            SET attempts = c.attempts + excluded.attempts, failures = c.failures + excluded.failures;
            DELETE FROM errand.circuit_counts
            WHERE queue = queue_name
              AND slice <= clock_timestamp() - make_interval(secs => q.circuit_window_seconds);
            SELECT sum(attempts) AS attempts, sum(failures) AS failures INTO counted
            FROM errand.circuit_counts WHERE queue = queue_name;
            IF counted.attempts < q.circuit_minimum_attempts
                OR counted.failures < q.circuit_failure_ratio * counted.attempts THEN
                RETURN false;
            END IF;
            UPDATE errand.queues SET circuit_state = 'open', circuit_changed_at = now(), circuit_probes = 0,
                circuit_probe_at = now() + make_interval(secs => circuit_probe_seconds), circuit_probe_job = NULL
            WHERE name = queue_name;
            DELETE FROM errand.circuit_counts WHERE queue = queue_name;
            INSERT INTO errand.queue_events (queue, event, actor, detail)
            VALUES (queue_name, 'circuit_opened', 'circuit breaker',
                format('%s of %s attempts failed within %s seconds', counted.failures, counted.attempts,
                    q.circuit_window_seconds));
            RETURN true;
        END
    $$;
