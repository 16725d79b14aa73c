-- Projects, and the keys that clients identify themselves with.

CREATE TABLE errand.projects (
    name          text        PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    free_commands boolean     NOT NULL DEFAULT true,
    max_waiting   bigint      CHECK (max_waiting >= 0),
    created_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE errand.projects IS 'What jobs, queues, schedules and keys belong to';
COMMENT ON COLUMN errand.projects.free_commands IS 'Whether its jobs may name any command, or those of the catalogue only';
COMMENT ON COLUMN errand.projects.max_waiting IS 'How many of its jobs may wait at once; null for any number';

INSERT INTO errand.projects (name) VALUES ('default');

CREATE TABLE errand.api_keys (
    id                  text        PRIMARY KEY CHECK (id ~ '^[a-z0-9]{12}$'),
    name                text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    principal           text        NOT NULL,
    role                text        NOT NULL CHECK (role IN ('viewer', 'submitter', 'operator', 'admin')),
    project             text        NOT NULL REFERENCES errand.projects,
    secret_hash         bytea       NOT NULL CHECK (octet_length(secret_hash) = 32),
    former_hash         bytea       CHECK (octet_length(former_hash) = 32),
    former_expires_at   timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          text        NOT NULL,
    expires_at          timestamptz,
    revoked_at          timestamptz,
    last_used_at        timestamptz,
    CHECK ((former_hash IS NULL) = (former_expires_at IS NULL))
);
CREATE INDEX api_keys_listed ON errand.api_keys (project, created_at, id);
COMMENT ON TABLE errand.api_keys IS 'API keys, errand_ID_SECRET; of the secret only the SHA-256 is kept';
COMMENT ON COLUMN errand.api_keys.principal IS 'Whom jobs that are submitted with it belong to';
COMMENT ON COLUMN errand.api_keys.former_hash IS 'The secret before the last rotation, which is taken until former_expires_at';
COMMENT ON COLUMN errand.api_keys.last_used_at IS 'To the minute';

-- The queue NAME of a project other than default is stored as PROJECT/NAME, in every table, so that
-- whatever goes by the name of a queue goes by its project too.
CREATE FUNCTION errand.project_of(queue text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN strpos(queue, '/') = 0 THEN 'default' ELSE split_part(queue, '/', 1) END;
COMMENT ON FUNCTION errand.project_of IS 'The project of a queue, by its stored name';

ALTER TABLE errand.jobs ADD COLUMN project text NOT NULL DEFAULT 'default';
COMMENT ON COLUMN errand.jobs.project IS 'The project of its queue';
COMMENT ON COLUMN errand.jobs.queue IS 'The stored name of its queue: PROJECT/NAME in projects other than default';
COMMENT ON COLUMN errand.jobs.concurrency_key IS
    'At most concurrency_limit jobs with this key run at a time; in projects other than default it begins with the project and U+001F';

ALTER TABLE errand.jobs ADD CONSTRAINT jobs_project CHECK (
    project = CASE WHEN strpos(queue, '/') = 0 THEN 'default' ELSE split_part(queue, '/', 1) END
    AND strpos(coalesce(concurrency_key, ''), chr(31))
        = CASE WHEN project = 'default' OR concurrency_key IS NULL THEN 0 ELSE length(project) + 1 END) NOT VALID;

-- Lists of a project, and of one caller. Jobs of the first administrator in default, which most
-- installations have alone, are in neither.
CREATE INDEX jobs_by_project ON errand.jobs (project, created_at, id) WHERE project <> 'default';
CREATE INDEX jobs_by_principal ON errand.jobs (principal, created_at, id) WHERE principal <> 'admin';

ALTER TABLE errand.schedules ADD COLUMN project text NOT NULL DEFAULT 'default' REFERENCES errand.projects;
ALTER TABLE errand.schedules DROP CONSTRAINT schedules_principal_name_key;
ALTER TABLE errand.schedules ADD CONSTRAINT schedules_project_name_key UNIQUE (project, name);
ALTER TABLE errand.operations ADD COLUMN project text NOT NULL DEFAULT 'default';
ALTER TABLE errand.operations ADD COLUMN owner text;
COMMENT ON COLUMN errand.operations.owner IS 'Whose jobs it changes; null for all of its project';
UPDATE errand.operations SET owner = principal;
DROP INDEX errand.operations_by_caller;
CREATE INDEX operations_by_caller ON errand.operations (project, created_at, id);
ALTER TABLE errand.webhook_deliveries ADD COLUMN project text NOT NULL DEFAULT 'default';
DROP INDEX errand.webhook_deliveries_listed;
CREATE INDEX webhook_deliveries_listed ON errand.webhook_deliveries (project, created_at, id);
ALTER TABLE errand.disabled_webhooks ADD COLUMN project text NOT NULL DEFAULT 'default';
