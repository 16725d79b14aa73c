-- What somebody wants to see of a running job now, and what its worker answers. Nothing is written here
-- while nobody looks, and nothing here is missed after a crash.

CREATE UNLOGGED TABLE errand.watches (
    job_id              uuid        PRIMARY KEY,
    output_until        timestamptz,
    processes_asked_at  timestamptz,
    processes_at        timestamptz,
    processes           jsonb
) WITH (fillfactor = 50);

COMMENT ON TABLE errand.watches IS 'Running jobs that somebody looks at.';
COMMENT ON COLUMN errand.watches.output_until IS 'Its worker sends what it prints until then';
COMMENT ON COLUMN errand.watches.processes_asked_at IS 'When somebody last asked for its process tree';
COMMENT ON COLUMN errand.watches.processes_at IS 'When its worker last answered that';
COMMENT ON COLUMN errand.watches.processes IS 'That answer';

CREATE UNLOGGED TABLE errand.live_output (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id       uuid        NOT NULL,
    attempt      integer     NOT NULL,
    stderr       boolean     NOT NULL,
    start_byte   bigint      NOT NULL,
    data         bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX live_output_job ON errand.live_output (job_id, attempt, id);
CREATE INDEX live_output_age ON errand.live_output (created_at);

COMMENT ON TABLE errand.live_output IS
    'What watched jobs have printed in the last minutes. What is kept for good stands in attempts.';
