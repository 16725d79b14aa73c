-- A submit by SQL knows what a job waits for, and the max_depth of a queue holds for it exactly.

-- The lock of the depth stops all submits to the queue, those of the API too. The transaction of a caller may stay
-- open for long, so the lock is taken when it commits. ADR 35.
CREATE TABLE errand.submits_to_admit (
    transaction_id xid8 NOT NULL,
    queue          text NOT NULL,
    PRIMARY KEY (transaction_id, queue)
);

COMMENT ON TABLE errand.submits_to_admit IS
    'Queues with max_depth to which a transaction that has not ended submits jobs by SQL. Empty to everybody else';
COMMENT ON COLUMN errand.submits_to_admit.transaction_id IS 'That transaction';

CREATE FUNCTION errand.submit_depth(queue text) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT coalesce(sum(c.jobs), 0)::bigint FROM errand.queue_counts c
        WHERE c.queue = submit_depth.queue AND c.state IN ('queued', 'retrying')
    $$;

CREATE FUNCTION errand.submit_full(queue text, max_depth bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            RAISE EXCEPTION 'queue: % has as many waiting jobs as its max_depth, %, allows; nothing was stored',
                queue, max_depth USING ERRCODE = 'ER429', COLUMN = 'queue';
        END
    $$;

-- The first call of a transaction decides about all of its queues.
CREATE FUNCTION errand.submit_admit() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            names text[];
            excess record;
        BEGIN
            WITH mine AS (
                DELETE FROM errand.submits_to_admit s WHERE s.transaction_id = pg_current_xact_id() RETURNING s.queue
            )
            SELECT array_agg(m.queue ORDER BY m.queue COLLATE "C") INTO names FROM mine m;
            -- The lock of store.submit.Depths, in the same order.
            PERFORM pg_advisory_xact_lock(hashtextextended(q.name, 20261201)) FROM unnest(names) AS q (name);
            -- A new snapshot: it has what was committed before the lock was given.
            SELECT q.name, q.max_depth INTO excess FROM errand.queues q
            WHERE q.name = ANY (names) AND q.overload = 'refuse' AND errand.submit_depth(q.name) > q.max_depth
            LIMIT 1;
            IF FOUND THEN
                PERFORM errand.submit_full(excess.name, excess.max_depth);
            END IF;
            RETURN NULL;
        END
    $$;

CREATE CONSTRAINT TRIGGER submits_are_admitted AFTER INSERT ON errand.submits_to_admit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION errand.submit_admit();

-- A claim divides by the rate. With a number near the smallest that there is, this failed, and all claims with it.
UPDATE errand.queues SET rate_per_second = 0.000001 WHERE rate_per_second < 0.000001;
ALTER TABLE errand.queues ADD CONSTRAINT queues_rate_can_be_divided_by CHECK (rate_per_second >= 0.000001);

-- A function with further arguments is another one. Who might call the old one may call the new one.
ALTER FUNCTION errand.submit RENAME TO submit_before;

CREATE FUNCTION errand.submit(
    command text[],
    idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL,
    queue text DEFAULT NULL,
    priority integer DEFAULT NULL,
    run_at timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    stdin text DEFAULT NULL,
    env jsonb DEFAULT NULL,
    working_directory text DEFAULT NULL,
    timeout_seconds double precision DEFAULT NULL,
    kill_grace_seconds double precision DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    backoff jsonb DEFAULT NULL,
    retry jsonb DEFAULT NULL,
    success_exit_codes integer[] DEFAULT NULL,
    on_lost text DEFAULT NULL,
    stdout_limit_bytes integer DEFAULT NULL,
    stderr_limit_bytes integer DEFAULT NULL,
    concurrency_key text DEFAULT NULL,
    concurrency_limit integer DEFAULT NULL,
    labels jsonb DEFAULT NULL,
    limits jsonb DEFAULT NULL,
    run_as text DEFAULT NULL,
    sandbox jsonb DEFAULT NULL,
    on_finish jsonb DEFAULT NULL,
    after uuid[] DEFAULT NULL,
    on_dependency_failure text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
    AS $$
        #variable_conflict use_column
        DECLARE
            caller text := 'sql:' || session_user;
            new_id uuid := errand.submit_id();
            job jsonb;
            hash bytea;
            known record;
            rules errand.queues;
            after_ids uuid[];
            met boolean[]; -- of each of them, whether it is waited for no more
            unmet integer := 0;
            unknown_place integer;
            missing text[] := array_remove(ARRAY[
                CASE WHEN submit.priority IS NULL THEN 'priority' END,
                CASE WHEN submit.timeout_seconds IS NULL THEN 'timeout_seconds' END,
                CASE WHEN submit.kill_grace_seconds IS NULL THEN 'kill_grace_seconds' END,
                CASE WHEN submit.max_attempts IS NULL THEN 'max_attempts' END,
                CASE WHEN submit.backoff IS NULL THEN 'backoff' END,
                CASE WHEN submit.retry IS NULL THEN 'retry' END,
                CASE WHEN submit.success_exit_codes IS NULL THEN 'success_exit_codes' END,
                CASE WHEN submit.on_lost IS NULL THEN 'on_lost' END,
                CASE WHEN submit.stdout_limit_bytes IS NULL THEN 'stdout_limit_bytes' END,
                CASE WHEN submit.stderr_limit_bytes IS NULL THEN 'stderr_limit_bytes' END], NULL);
        BEGIN
            IF submit.idempotency_key IS NOT NULL AND submit.idempotency_key !~ '^[ -~]{1,255}$' THEN
                PERFORM errand.submit_refuse('idempotency_key', 'must be 1 to 255 printable ASCII characters');
            END IF;
            PERFORM errand.submit_text('description', submit.description, 1000);
            submit.command := errand.submit_command(submit.command);
            PERFORM errand.submit_text('queue', submit.queue, 64);
            IF submit.queue !~ '^[a-z0-9][a-z0-9._-]{0,63}$' THEN
                PERFORM errand.submit_refuse('queue', 'must match [a-z0-9][a-z0-9._-]{0,63}');
            END IF;
            PERFORM errand.submit_time('run_at', submit.run_at);
            PERFORM errand.submit_time('expires_at', submit.expires_at);
            PERFORM errand.submit_text('stdin', submit.stdin, 1048576);
            PERFORM errand.submit_text('working_directory', submit.working_directory, 4095);
            IF submit.working_directory !~ '^/' THEN
                PERFORM errand.submit_refuse('working_directory', 'must be an absolute path');
            END IF;
            submit.timeout_seconds := coalesce(submit.timeout_seconds, 3600);
            PERFORM errand.submit_number('timeout_seconds', submit.timeout_seconds, 0, true, 31536000);
            submit.kill_grace_seconds := coalesce(submit.kill_grace_seconds, 10);
            PERFORM errand.submit_number('kill_grace_seconds', submit.kill_grace_seconds, 0, false, 300);
            submit.on_lost := coalesce(
                errand.submit_word('on_lost', to_jsonb(submit.on_lost), '{retry,fail,hold}'), 'retry');
            PERFORM errand.submit_text('concurrency_key', submit.concurrency_key, 255);
            IF submit.concurrency_key = '' THEN
                PERFORM errand.submit_refuse('concurrency_key', 'must not be empty');
            END IF;
            IF submit.concurrency_limit IS NOT NULL AND submit.concurrency_key IS NULL THEN
                PERFORM errand.submit_refuse('concurrency_limit', 'needs concurrency_key');
            END IF;
            PERFORM errand.submit_text('run_as', submit.run_as, 255);
            IF submit.run_as = '' OR submit.run_as ~ '[\u0001-\u001f\u007f-\u009f:/]' THEN
                PERFORM errand.submit_refuse(
                    'run_as', 'must not be empty, nor hold a colon, a slash or control characters');
            END IF;
            IF array_ndims(submit.after) > 1 OR cardinality(submit.after) > 10000 THEN
                PERFORM errand.submit_refuse('after', 'must be a list of at most 10000');
            END IF;
            SELECT min(a.place) - 1 INTO unknown_place
            FROM unnest(submit.after) WITH ORDINALITY AS a (id, place) WHERE a.id IS NULL;
            IF unknown_place IS NOT NULL THEN
                PERFORM errand.submit_refuse(format('after[%s]', unknown_place), 'must be the id of a job');
            END IF;
            PERFORM errand.submit_word(
                'on_dependency_failure', to_jsonb(submit.on_dependency_failure), '{cancel,run}');
            IF submit.on_dependency_failure IS NOT NULL AND submit.after IS NULL THEN
                PERFORM errand.submit_refuse('on_dependency_failure', 'is allowed with after only');
            END IF;
            submit.on_dependency_failure := coalesce(submit.on_dependency_failure, 'cancel');
            SELECT array_agg(n.id ORDER BY n.place) INTO after_ids
            FROM (SELECT a.id, min(a.place) AS place FROM unnest(submit.after) WITH ORDINALITY AS a (id, place)
                  GROUP BY a.id) n;
            -- What is asked for, with the defaults: the row, and what tells a repeat from another request.
            job := jsonb_build_object(
                'command', submit.command,
                'description', submit.description,
                'queue', coalesce(submit.queue, 'default'),
                'priority', errand.submit_whole('priority', to_jsonb(coalesce(submit.priority, 0)), -100, 100),
                'run_at', submit.run_at AT TIME ZONE 'UTC',
                'expires_at', submit.expires_at AT TIME ZONE 'UTC',
                'stdin', submit.stdin,
                'env', errand.submit_env(submit.env),
                'working_directory', submit.working_directory,
                'timeout_seconds', submit.timeout_seconds,
                'kill_grace_seconds', submit.kill_grace_seconds,
                'max_attempts', errand.submit_whole(
                    'max_attempts', to_jsonb(coalesce(submit.max_attempts, 3)), 1, 10000),
                'backoff', errand.submit_backoff(submit.backoff),
                'retry', errand.submit_retry(submit.retry),
                'success_exit_codes', errand.submit_success_exit_codes(submit.success_exit_codes),
                'on_lost', submit.on_lost,
                'stdout_limit_bytes', errand.submit_whole(
                    'stdout_limit_bytes', to_jsonb(coalesce(submit.stdout_limit_bytes, 65536)), 0, 1048576),
                'stderr_limit_bytes', errand.submit_whole(
                    'stderr_limit_bytes', to_jsonb(coalesce(submit.stderr_limit_bytes, 65536)), 0, 1048576),
                'concurrency_key', submit.concurrency_key,
                'concurrency_limit', errand.submit_whole(
                    'concurrency_limit', to_jsonb(coalesce(submit.concurrency_limit, 1)), 1, 10000),
                'labels', errand.submit_labels(submit.labels),
                'limits', errand.submit_limits(submit.limits),
                'run_as', submit.run_as,
                'sandbox', errand.submit_sandbox(submit.sandbox),
                'on_finish', errand.submit_on_finish(submit.on_finish));
            IF after_ids IS NOT NULL THEN
                job := job || jsonb_build_object(
                    'after', after_ids, 'on_dependency_failure', submit.on_dependency_failure);
            END IF;
            hash := sha256(convert_to(job::text, 'UTF8'));

            IF submit.idempotency_key IS NOT NULL THEN
                -- Waits for another transaction that has the key and has not ended.
                INSERT INTO errand.idempotency_keys (principal, idempotency_key, job_id)
                VALUES (caller, submit.idempotency_key, new_id)
                ON CONFLICT DO NOTHING;
                IF NOT FOUND THEN
                    SELECT k.job_id, j.fingerprint INTO STRICT known
                    FROM errand.idempotency_keys k LEFT JOIN errand.jobs j ON j.id = k.job_id
                    WHERE k.principal = caller AND k.idempotency_key = submit.idempotency_key;
                    IF known.fingerprint IS NULL THEN
                        RAISE EXCEPTION 'idempotency_key: its job % has been removed; nothing was stored', known.job_id
                            USING ERRCODE = 'ER410', COLUMN = 'idempotency_key';
                    ELSIF known.fingerprint <> hash THEN
                        RAISE EXCEPTION 'idempotency_key: was used with another request; nothing was stored'
                            USING ERRCODE = 'ER422', COLUMN = 'idempotency_key';
                    END IF;
                    RETURN known.job_id;
                END IF;
            END IF;

            -- As of the API: no job is locked, and whatever has not finished now is looked at after the commit.
            IF after_ids IS NOT NULL THEN
                WITH states AS MATERIALIZED (
                    SELECT j.id, j.state = 'succeeded' OR (
                        submit.on_dependency_failure = 'run' AND j.state IN ('failed', 'cancelled')) AS is_met
                    FROM errand.jobs j WHERE j.id = ANY (after_ids) AND j.principal = caller
                )
                SELECT array_agg(s.is_met ORDER BY n.place), count(*) FILTER (WHERE NOT s.is_met),
                       min(n.place) FILTER (WHERE s.id IS NULL)
                INTO met, unmet, unknown_place
                FROM unnest(after_ids) WITH ORDINALITY AS n (id, place) LEFT JOIN states s ON s.id = n.id;
                IF unknown_place IS NOT NULL THEN
                    PERFORM errand.submit_refuse(
                        format('after[%s]', array_position(submit.after, after_ids[unknown_place])
                            - array_lower(submit.after, 1)),
                        format('names job %s, which %s', after_ids[unknown_place], CASE WHEN EXISTS (
                            SELECT FROM errand.removed_jobs r
                            WHERE r.id = after_ids[unknown_place] AND r.principal = caller)
                            THEN 'has been removed since it finished' ELSE 'does not exist' END));
                END IF;
            END IF;

            -- What the queue says: values of fields that were not given, and how many jobs may wait. A queue that
            -- is full is told of at once; the count that decides is the one of the commit.
            SELECT q.* INTO rules FROM errand.queues q WHERE q.name = job ->> 'queue';
            IF rules.max_depth IS NOT NULL AND rules.overload = 'refuse' THEN
                IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
                    RAISE EXCEPTION 'queue: % has a max_depth, and its jobs can be counted in a transaction that is READ COMMITTED only; nothing was stored',
                        rules.name USING ERRCODE = 'invalid_transaction_state', COLUMN = 'queue';
                END IF;
                IF errand.submit_depth(rules.name) >= rules.max_depth THEN
                    PERFORM errand.submit_full(rules.name, rules.max_depth);
                END IF;
                INSERT INTO errand.submits_to_admit (transaction_id, queue)
                VALUES (pg_current_xact_id(), rules.name) ON CONFLICT DO NOTHING;
            END IF;
            IF rules.defaults <> '{}' THEN
                SELECT job || coalesce(jsonb_object_agg(d.key, CASE d.key
                        WHEN 'backoff' THEN errand.submit_backoff(d.value)
                        WHEN 'retry' THEN errand.submit_retry(d.value)
                        ELSE d.value END), '{}')
                INTO job FROM jsonb_each(rules.defaults) AS d WHERE d.key = ANY (missing);
                job := jsonb_set(job, '{limits}', coalesce(rules.defaults -> 'limits', '{}') || (job -> 'limits'));
                submit.expires_at := coalesce(submit.expires_at, coalesce(submit.run_at, now())
                    + make_interval(secs => (rules.defaults ->> 'expires_after_seconds')::double precision));
            END IF;

            WITH stored AS (
                INSERT INTO errand.jobs (
                    id, state, description, queue, priority, command, max_attempts, run_at, expires_at, labels,
                    concurrency_key, concurrency_limit, idempotency_key, principal, timeout_seconds, kill_grace_seconds,
                    stdout_limit_bytes, stderr_limit_bytes, success_exit_codes, on_lost, backoff, retry,
                    working_directory, env, stdin, fingerprint, limits, run_as, sandbox, on_finish,
                    after, on_dependency_failure, waits_for_jobs, waits_for_key)
                SELECT new_id, 'queued', submit.description, job ->> 'queue', (job ->> 'priority')::smallint,
                       submit.command, (job ->> 'max_attempts')::integer, coalesce(submit.run_at, now()),
                       submit.expires_at, job -> 'labels', submit.concurrency_key,
                       (job ->> 'concurrency_limit')::integer, submit.idempotency_key, caller,
                       (job ->> 'timeout_seconds')::double precision,
                       (job ->> 'kill_grace_seconds')::double precision,
                       (job ->> 'stdout_limit_bytes')::integer, (job ->> 'stderr_limit_bytes')::integer,
                       ARRAY(SELECT c::smallint FROM jsonb_array_elements_text(job -> 'success_exit_codes') AS e (c)),
                       job ->> 'on_lost', job -> 'backoff', job -> 'retry', submit.working_directory, job -> 'env',
                       submit.stdin, hash, job -> 'limits', submit.run_as,
                       nullif(job -> 'sandbox', 'null'), nullif(job -> 'on_finish', 'null'),
                       after_ids, CASE WHEN after_ids IS NOT NULL THEN submit.on_dependency_failure END,
                       unmet, unmet > 0
                RETURNING *
            ), event AS (
                INSERT INTO errand.job_events (job_id, to_state, reason, attempt, claim_token, actor)
                SELECT s.id, s.state, s.reason, s.attempt, s.claim_token, 'client ' || s.principal FROM stored s
            )
            INSERT INTO errand.queue_counts (queue, state, jobs) SELECT s.queue, s.state, 1 FROM stored s;
            INSERT INTO errand.job_dependencies (job_id, after_id, marked, finished)
            SELECT new_id, d.id, d.is_met, d.is_met FROM unnest(after_ids, met) AS d (id, is_met);
            IF unmet > 0 THEN
                PERFORM pg_notify('errand', 'finished'); -- what it waits for may do so before the commit
            END IF;
            PERFORM pg_notify('errand', 'ready'); -- is sent when the transaction of the caller commits
            RETURN new_id;
        END
    $$;

COMMENT ON FUNCTION errand.submit IS
    'Submits a job in the transaction of the caller, as POST /v1/jobs would; its caller is sql:SESSION_USER. Gives the id. SQLSTATE 22023: a field is not valid; ER422: the key was used with another request; ER410: the job of the key was removed; ER429: its queue is full, which COMMIT may find out, too; 25000: its queue has max_depth, and the transaction is not READ COMMITTED';

DO $$
    DECLARE
        one record;
    BEGIN
        FOR one IN
            SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = 'errand' AND (p.proname = 'submit' OR p.proname LIKE 'submit\_%')
                AND p.proname <> 'submit_before'
        LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one.name);
        END LOOP;
        FOR one IN
            SELECT a.grantee, a.is_grantable FROM pg_proc p, aclexplode(p.proacl) a
            WHERE p.oid = 'errand.submit_before'::regproc AND a.grantee <> p.proowner
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION errand.submit TO %s%s',
                CASE WHEN one.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END,
                CASE WHEN one.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        END LOOP;
    END
$$;

DROP FUNCTION errand.submit_before;
