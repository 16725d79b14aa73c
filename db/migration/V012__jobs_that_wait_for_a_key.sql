-- Jobs whose concurrency key is in use are not in the indexes of ready jobs, so that claims do not read them.

ALTER TABLE errand.jobs ADD COLUMN waits_for_key boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN errand.jobs.waits_for_key IS
    'Another job with its concurrency key runs or comes first: it is not claimed before that one has ended. Means nothing unless the job is queued or retrying';

DROP INDEX errand.jobs_ready;
CREATE INDEX jobs_ready ON errand.jobs (priority DESC, run_at, id)
    WHERE state IN ('queued', 'retrying') AND NOT waits_for_key;
DROP INDEX errand.jobs_ready_by_queue;
CREATE INDEX jobs_ready_by_queue ON errand.jobs (queue, priority DESC, run_at, id)
    WHERE state IN ('queued', 'retrying') AND NOT waits_for_key;

-- By key, those that may be claimed and those that wait.
CREATE INDEX jobs_ready_by_key ON errand.jobs (concurrency_key, priority DESC, run_at, id)
    WHERE state IN ('queued', 'retrying') AND NOT waits_for_key AND concurrency_key IS NOT NULL;
CREATE INDEX jobs_waiting_by_key ON errand.jobs (concurrency_key, priority DESC, run_at, id)
    WHERE state IN ('queued', 'retrying') AND waits_for_key;
