-- How a command is kept in bounds, and what a worker's host can do about it.

ALTER TABLE errand.jobs
    ADD COLUMN limits jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN run_as text,
    ADD COLUMN sandbox jsonb;

COMMENT ON COLUMN errand.jobs.limits IS
    'memory_bytes, cpu_seconds, processes, file_size_bytes, open_files, nice';
COMMENT ON COLUMN errand.jobs.run_as IS
    'The field user: the account that the command runs as; null is the server''s own';
COMMENT ON COLUMN errand.jobs.sandbox IS 'network, read_only, writable; null is none';

ALTER TABLE errand.workers
    ADD COLUMN abilities text[] NOT NULL DEFAULT '{}';

COMMENT ON COLUMN errand.workers.abilities IS
    'What its host can do for a job that asks: limits, user, sandbox';
