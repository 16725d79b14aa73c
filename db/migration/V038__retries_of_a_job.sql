-- Whether a failed job was tried again as another one. Few jobs are such.
CREATE INDEX jobs_by_retry ON errand.jobs (retry_of) WHERE retry_of IS NOT NULL;
