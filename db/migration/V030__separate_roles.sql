-- Roles of the database for the API and for workers. A login that is a member of errand_api serves the API and can claim
-- nothing; a member of errand_worker runs commands and can make no key. The owner of the schema can do both, as before. ADR 39.

-- Where the login may not make roles, somebody who may runs db/roles.sql, before or after this. What errand_api is a member of
-- does not count for its members unless they ask for it (NOINHERIT): see the next migration.
DO $$
    BEGIN
        IF to_regrole('errand_api') IS NULL THEN
            CREATE ROLE errand_api NOLOGIN NOINHERIT;
        END IF;
        IF to_regrole('errand_worker') IS NULL THEN
            CREATE ROLE errand_worker NOLOGIN;
        END IF;
    EXCEPTION
        WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
            RAISE NOTICE 'errand: the roles errand_api and errand_worker were not made: %', SQLERRM;
    END
$$;

-- They write what the role that calls them may not write otherwise.
ALTER FUNCTION errand.audit_append(jsonb) SECURITY DEFINER;
ALTER FUNCTION errand.audit_forget(interval, integer) SECURITY DEFINER;

-- The one place that says what the roles may do. To be called again when a role has been made later, and by each migration
-- that makes a table. History is written and removed with its job, and never changed: nobody has UPDATE on it.
CREATE FUNCTION errand.grant_to_roles() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            one text;
            submitted text;
        BEGIN
            -- Every column of a job but what a claim and its attempt write.
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO submitted
            FROM pg_attribute a
            WHERE a.attrelid = 'errand.jobs'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attname <> ALL (ARRAY[
                    'attempt', 'charged_attempts', 'claim_token', 'claimed_at', 'duration_seconds', 'exit_code', 'finished_at',
                    'signal', 'started_at', 'stderr_bytes', 'stderr_dropped_bytes', 'stdout_bytes', 'stdout_dropped_bytes',
                    'worker', 'worker_id']);

            -- Both: submits, schedules, bulk changes, order among jobs, retention, what clients want to see of running jobs.
            FOREACH one IN ARRAY ARRAY['errand_api', 'errand_worker'] LOOP
                CONTINUE WHEN to_regrole(one) IS NULL;
                EXECUTE format('GRANT USAGE ON SCHEMA errand TO %I', one);
                EXECUTE format('GRANT SELECT ON errand.flyway_schema_history, errand.projects, errand.commands,
                    errand.command_versions, errand.workers TO %I', one);
                EXECUTE format('GRANT SELECT, DELETE, INSERT (%s), UPDATE (state, reason, detail, run_at, finished_at,
                    cancel_requested_at, max_attempts, priority, queue, waits_for_key, waits_for_jobs, has_dependents,
                    on_finish_state) ON errand.jobs TO %I', submitted, one);
                EXECUTE format('GRANT SELECT, DELETE ON errand.attempts TO %I', one);
                EXECUTE format('GRANT SELECT, INSERT, DELETE ON errand.job_events, errand.queue_counts, errand.queue_events,
                    errand.schedule_ticks, errand.idempotency_keys, errand.removed_jobs TO %I', one);
                EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON errand.job_dependencies, errand.operations, errand.operation_jobs,
                    errand.webhook_deliveries, errand.disabled_webhooks, errand.watches, errand.live_output TO %I', one);
                EXECUTE format('GRANT SELECT, UPDATE (handled_until, next_tick_at) ON errand.schedules TO %I', one);
                EXECUTE format('GRANT SELECT, DELETE ON errand.circuit_counts TO %I', one);
                EXECUTE format('GRANT UPDATE (jobs) ON errand.queue_counts TO %I', one); -- to lock rows
                EXECUTE format('GRANT UPDATE (detail) ON errand.queue_events TO %I', one); -- to lock rows
                EXECUTE format('GRANT UPDATE (removed_at) ON errand.removed_jobs TO %I', one); -- to lock rows
                IF current_setting('server_version_num')::integer >= 170000 THEN
                    EXECUTE format('GRANT MAINTAIN ON errand.queue_counts TO %I', one);
                END IF;
            END LOOP;

            IF to_regrole('errand_api') IS NOT NULL THEN
                GRANT SELECT, INSERT, UPDATE, DELETE ON errand.queues, errand.schedules, errand.projects, errand.api_keys,
                    errand.commands, errand.command_versions, errand.console_sessions, errand.console_links TO errand_api;
                GRANT SELECT, INSERT ON errand.audit_begun TO errand_api;
                GRANT SELECT ON errand.audit, errand.audit_head TO errand_api;
                GRANT EXECUTE ON FUNCTION errand.audit_append(jsonb) TO errand_api;
            END IF;

            IF to_regrole('errand_worker') IS NOT NULL THEN
                GRANT UPDATE (attempt, charged_attempts, claim_token, claimed_at, duration_seconds, exit_code, signal, started_at,
                    stderr_bytes, stderr_dropped_bytes, stdout_bytes, stdout_dropped_bytes, worker, worker_id)
                    ON errand.jobs TO errand_worker;
                GRANT INSERT ON errand.attempts TO errand_worker;
                GRANT INSERT, UPDATE, DELETE ON errand.workers TO errand_worker;
                GRANT INSERT, UPDATE ON errand.circuit_counts TO errand_worker;
                GRANT SELECT, UPDATE (tokens, tokens_at, circuit_state, circuit_changed_at, circuit_probes, circuit_probe_at,
                    circuit_probe_job) ON errand.queues TO errand_worker;
                GRANT EXECUTE ON FUNCTION errand.audit_forget(interval, integer) TO errand_worker;
            END IF;
        END
    $$;

REVOKE ALL ON FUNCTION errand.grant_to_roles() FROM PUBLIC;
COMMENT ON FUNCTION errand.grant_to_roles IS
    'Gives errand_api and errand_worker, as far as they exist, the rights that they need; for the owner of the schema';

SELECT errand.grant_to_roles();
