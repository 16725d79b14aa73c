-- Jobs that wait, by queue: a claim that may not take from every queue reads only those that it may take from.
-- It also answers how long the oldest ready job of a queue has waited, which jobs_waiting did.

CREATE INDEX jobs_ready_by_queue ON errand.jobs (queue, priority DESC, run_at, id)
    WHERE state IN ('queued', 'retrying');
DROP INDEX errand.jobs_waiting;
