-- The jobs of operations that name how many they expect, fixed when they are counted: a job that is committed
-- afterwards is none of them, also if its transaction began before.

ALTER TABLE errand.operations ADD COLUMN jobs_fixed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN errand.operations.jobs_fixed IS
    'Whether its jobs are those of operation_jobs, and no others; so it is with an expected_count';

CREATE TABLE errand.operation_jobs (
    operation_id    uuid NOT NULL REFERENCES errand.operations (id) ON DELETE CASCADE,
    last_created_at timestamptz NOT NULL,
    last_id         uuid NOT NULL,
    ids             uuid[] NOT NULL,
    PRIMARY KEY (operation_id, last_created_at, last_id)
);

COMMENT ON TABLE errand.operation_jobs IS
    'Jobs of unfinished operations with an expected_count, 500 in a row; removed when the operation ends';
COMMENT ON COLUMN errand.operation_jobs.operation_id IS 'The operation';
COMMENT ON COLUMN errand.operation_jobs.last_created_at IS 'created_at of the last job of this row';
COMMENT ON COLUMN errand.operation_jobs.last_id IS 'id of the last job of this row';
COMMENT ON COLUMN errand.operation_jobs.ids IS 'Jobs, in the order of created_at and id';
