-- The second lock between projects. What the API reads for a client it reads as errand_reader, who sees the rows of the one
-- project that errand.project names in that transaction, and none where it names none. All other roles see what they are
-- granted, as before. ADR 39.

-- Nobody logs in as errand_reader, and who may become it is not confined before it does: errand_api has NOINHERIT. The owner
-- becomes a member of errand_api, which gives it nothing else, so that the API of an installation with one login does the same.
DO $$
    BEGIN
        IF to_regrole('errand_reader') IS NULL THEN
            CREATE ROLE errand_reader NOLOGIN;
        END IF;
        GRANT errand_reader TO errand_api;
        GRANT errand_api TO CURRENT_USER;
    EXCEPTION
        WHEN insufficient_privilege OR undefined_object OR duplicate_object OR unique_violation OR invalid_grant_operation THEN
            RAISE NOTICE 'errand: the role errand_reader was not made: %', SQLERRM;
    END
$$;

-- The one place that says which rows belong to a project. To be called again when errand_reader has been made later, and by
-- each migration that makes a table. The setting is read once a statement: it stands in a query of its own.
CREATE FUNCTION errand.confine_reader() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
    AS $$
        DECLARE
            wanted constant text := '(SELECT current_setting(''errand.project'', true))';
            one record;
        BEGIN
            FOR one IN
                SELECT t.name, t.columns, replace(t.condition, 'PROJECT', wanted) AS condition
                FROM (VALUES
                    ('jobs', NULL, 'project = PROJECT'),
                    ('schedules', NULL, 'project = PROJECT'),
                    ('operations', NULL, 'project = PROJECT'),
                    ('webhook_deliveries', NULL, 'project = PROJECT'),
                    ('disabled_webhooks', NULL, 'project = PROJECT'),
                    ('commands', NULL, 'project = PROJECT'),
                    ('command_versions', NULL, 'project = PROJECT'),
                    ('audit', NULL, 'project = PROJECT'),
                    ('projects', NULL, 'name = PROJECT'),
                    ('api_keys', 'id, name, principal, role, project, created_at, created_by, expires_at, revoked_at, last_used_at',
                        'project = PROJECT'),
                    ('queues', NULL, 'errand.project_of(name) = PROJECT'),
                    ('queue_counts', NULL, 'errand.project_of(queue) = PROJECT'),
                    ('queue_events', NULL, 'errand.project_of(queue) = PROJECT'),
                    ('circuit_counts', NULL, 'errand.project_of(queue) = PROJECT'),
                    -- What belongs to a job or a schedule is seen where that is: its own policy is asked.
                    ('attempts', NULL, 'EXISTS (SELECT FROM errand.jobs j WHERE j.id = job_id)'),
                    ('job_events', NULL, 'EXISTS (SELECT FROM errand.jobs j WHERE j.id = job_id)'),
                    ('job_dependencies', NULL, 'EXISTS (SELECT FROM errand.jobs j WHERE j.id = job_id)'),
                    ('schedule_ticks', NULL, 'EXISTS (SELECT FROM errand.schedules s WHERE s.id = schedule_id)'),
                    -- Of a job that was removed no more is known than how it ended, to who has its id.
                    ('removed_jobs', 'id, state', 'true'),
                    ('operation_jobs', '', 'false'),
                    ('watches', '', 'false'),
                    ('live_output', '', 'false'),
                    ('idempotency_keys', '', 'false')) AS t (name, columns, condition)
            LOOP
                EXECUTE format('ALTER TABLE errand.%I ENABLE ROW LEVEL SECURITY', one.name);
                EXECUTE format('ALTER TABLE errand.%I FORCE ROW LEVEL SECURITY', one.name);
                EXECUTE format('DROP POLICY IF EXISTS who_has_a_grant ON errand.%I', one.name);
                EXECUTE format('CREATE POLICY who_has_a_grant ON errand.%I USING (true)', one.name);
                IF to_regrole('errand_reader') IS NOT NULL THEN
                    EXECUTE format('DROP POLICY IF EXISTS reader_of_one_project ON errand.%I', one.name);
                    EXECUTE format('CREATE POLICY reader_of_one_project ON errand.%I AS RESTRICTIVE TO errand_reader USING (%s)',
                        one.name, one.condition);
                    IF one.columns IS DISTINCT FROM '' THEN
                        EXECUTE format('GRANT SELECT %s ON errand.%I TO errand_reader', '(' || one.columns || ')', one.name);
                    END IF;
                END IF;
            END LOOP;
            IF to_regrole('errand_reader') IS NOT NULL THEN
                GRANT USAGE ON SCHEMA errand TO errand_reader;
                GRANT SELECT ON errand.workers TO errand_reader;
            END IF;
        END
    $$;

REVOKE ALL ON FUNCTION errand.confine_reader() FROM PUBLIC;
COMMENT ON FUNCTION errand.confine_reader IS
    'Confines errand_reader, if it exists, to the project that the setting errand.project names; for the owner of the schema';

SELECT errand.confine_reader();
