-- The catalogue: named commands with typed parameters, by project and version. And policies of queues.

CREATE TABLE errand.commands (
    project text    NOT NULL REFERENCES errand.projects ON DELETE CASCADE,
    name    text    NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    version integer NOT NULL CHECK (version >= 1),
    deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (project, name)
);
COMMENT ON TABLE errand.commands IS 'The named commands of projects';
COMMENT ON COLUMN errand.commands.version IS 'The current version; a name that is used again after its removal goes on counting';
COMMENT ON COLUMN errand.commands.deleted IS 'Whether it was removed; then no job can name it';

CREATE TABLE errand.command_versions (
    project    text        NOT NULL,
    name       text        NOT NULL,
    version    integer     NOT NULL,
    definition jsonb       NOT NULL CHECK (octet_length(definition::text) <= 65536),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text        NOT NULL,
    PRIMARY KEY (project, name, version),
    FOREIGN KEY (project, name) REFERENCES errand.commands ON DELETE CASCADE
);
COMMENT ON TABLE errand.command_versions IS 'What each version of a named command says; the 100 newest are kept';
COMMENT ON COLUMN errand.command_versions.definition IS 'command, parameters, defaults, job_may_set, as in PUT /v1/commands/{name}';

ALTER TABLE errand.jobs
    ADD COLUMN run         text,
    ADD COLUMN run_version integer,
    ADD COLUMN parameters  jsonb;
ALTER TABLE errand.jobs ADD CONSTRAINT jobs_run CHECK (
    (run IS NULL) = (run_version IS NULL) AND (run IS NULL) = (parameters IS NULL)) NOT VALID;
COMMENT ON COLUMN errand.jobs.run IS 'The named command that its command was made of; null where the job gave the command itself';
COMMENT ON COLUMN errand.jobs.run_version IS 'The version of the named command; 0 where it stood in a file of the server';
COMMENT ON COLUMN errand.jobs.parameters IS 'The parameters that the job gave for it';

ALTER TABLE errand.queues ADD COLUMN policy jsonb CHECK (octet_length(policy::text) <= 65536);
COMMENT ON COLUMN errand.queues.policy IS
    'What its jobs must keep to: executables, users, sandbox_required, max_timeout_seconds, max_limits; null for nothing';

-- What the policy of a queue has against a job, as 'field: sentence'; null for nothing.
-- io.errand.queue.QueuePolicy says the same of a submit by the API.
CREATE FUNCTION errand.policy_refusal(
    queue text, command text[], timeout_seconds double precision, run_as text, limits jsonb, sandbox jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT CASE
            WHEN NOT q.policy -> 'executables' @> to_jsonb(policy_refusal.command[1])
                THEN 'command: the policy of the queue does not allow this program'
            WHEN NOT coalesce(q.policy -> 'users' @> to_jsonb(policy_refusal.run_as), false) AND q.policy -> 'users' IS NOT NULL
                THEN 'user: the policy of the queue does not allow this account'
            WHEN (q.policy ->> 'sandbox_required')::boolean AND nullif(policy_refusal.sandbox, 'null') IS NULL
                THEN 'sandbox: the policy of the queue requires one'
            WHEN policy_refusal.timeout_seconds > (q.policy ->> 'max_timeout_seconds')::double precision
                THEN 'timeout_seconds: is more than the policy of the queue allows'
            WHEN EXISTS (
                SELECT FROM jsonb_each_text(coalesce(q.policy -> 'max_limits', '{}')) AS m (name, most)
                WHERE coalesce((policy_refusal.limits ->> m.name)::numeric > m.most::numeric, true))
                THEN 'limits: a limit is missing, or is more than the policy of the queue allows'
            END
        FROM errand.queues q
        WHERE q.name = policy_refusal.queue AND q.policy IS NOT NULL
    $$;

-- The same, and what its project has against it.
CREATE FUNCTION errand.refusal(job errand.jobs) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT coalesce(
            (SELECT 'command: the project takes named commands of its catalogue only' FROM errand.projects p
             WHERE p.name = errand.project_of(job.queue) AND NOT p.free_commands AND job.run IS NULL),
            errand.policy_refusal(job.queue, job.command, job.timeout_seconds, job.run_as, job.limits, job.sandbox))
    $$;

-- The API checks this before it stores a job, errand.submit when it does.
CREATE FUNCTION errand.submit_keeps_rules() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            refusal text := errand.refusal(NEW);
        BEGIN
            IF refusal IS NOT NULL THEN
                PERFORM errand.submit_refuse(split_part(refusal, ': ', 1), substr(refusal, strpos(refusal, ': ') + 2));
            END IF;
            RETURN NEW;
        END
    $$;

REVOKE EXECUTE ON FUNCTION errand.submit_keeps_rules FROM PUBLIC;

CREATE TRIGGER submits_by_sql_keep_rules BEFORE INSERT ON errand.jobs
    FOR EACH ROW WHEN (NEW.principal LIKE 'sql:%') EXECUTE FUNCTION errand.submit_keeps_rules();
