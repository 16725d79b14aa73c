-- Order among jobs: a job is not claimed before the jobs that it names in "after" have finished.

-- Filled only where a job uses it. A job that waits for others has waits_for_key set too, because this column keeps
-- rows out of the indexes of ready jobs; so those stay as they are, and claims read no job that waits.
ALTER TABLE errand.jobs
    ADD COLUMN after uuid[],
    ADD COLUMN on_dependency_failure text,
    ADD COLUMN waits_for_jobs integer NOT NULL DEFAULT 0,
    ADD COLUMN has_dependents boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT jobs_wait_for_jobs CHECK (
        waits_for_jobs = 0 OR (waits_for_jobs > 0 AND waits_for_key AND state IN ('queued', 'cancelled')));

COMMENT ON COLUMN errand.jobs.after IS
    'The jobs that it waits for, each once, in the order of the request; null where it waits for none';
COMMENT ON COLUMN errand.jobs.on_dependency_failure IS
    'What follows when one of these fails or is cancelled: cancel or run; null where it waits for none';
COMMENT ON COLUMN errand.jobs.waits_for_jobs IS
    'How many of these have not finished, as far as it has been told; it is not claimed before that is 0. Means nothing once it is cancelled';
COMMENT ON COLUMN errand.jobs.has_dependents IS
    'Other jobs wait for it and have not been told that it has finished; retention leaves it until they have been';
COMMENT ON COLUMN errand.jobs.waits_for_key IS
    'It is in no index of ready jobs: another job with its concurrency key runs or comes first, or it waits for other jobs (waits_for_jobs). Means nothing unless the job is queued or retrying';

-- A job that waits for other jobs is no candidate for its key.
DROP INDEX errand.jobs_waiting_by_key;
CREATE INDEX jobs_waiting_by_key ON errand.jobs (concurrency_key, priority DESC, run_at, id)
    WHERE state IN ('queued', 'retrying') AND waits_for_key AND waits_for_jobs = 0;

-- Jobs that others wait for; those that have finished come first, and are the ones with something to tell.
CREATE INDEX jobs_with_dependents ON errand.jobs (finished_at, id) WHERE has_dependents;

CREATE TABLE errand.job_dependencies (
    job_id   uuid    NOT NULL,
    after_id uuid    NOT NULL,
    marked   boolean NOT NULL DEFAULT false,
    finished boolean NOT NULL DEFAULT false,
    PRIMARY KEY (job_id, after_id),
    CONSTRAINT job_dependencies_not_of_itself CHECK (job_id <> after_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX job_dependencies_after ON errand.job_dependencies (after_id, job_id);
CREATE INDEX job_dependencies_unmarked ON errand.job_dependencies (after_id) WHERE NOT marked;

COMMENT ON TABLE errand.job_dependencies IS
    'One row for each job that a job waits for or has waited for; removed with the job that waits.';
COMMENT ON COLUMN errand.job_dependencies.job_id IS 'The job that waits';
COMMENT ON COLUMN errand.job_dependencies.after_id IS 'The job that it waits for; it may have been removed since it finished';
COMMENT ON COLUMN errand.job_dependencies.marked IS
    'has_dependents of that job has been set for this row, or need not be: so its end will be noticed';
COMMENT ON COLUMN errand.job_dependencies.finished IS
    'That job has finished, and waits_for_jobs of the job that waits does not count it any more';

-- How a job ended is known for as long as its id.
ALTER TABLE errand.removed_jobs ADD COLUMN state text;
COMMENT ON COLUMN errand.removed_jobs.state IS
    'The final state that it had; null for jobs that were removed before this column was';
