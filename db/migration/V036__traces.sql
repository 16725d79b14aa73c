-- The call that has submitted a job: what its attempts have to do with each other and with their client. ADR 51.

ALTER TABLE errand.jobs ADD COLUMN request_id text, ADD COLUMN trace_context text;
COMMENT ON COLUMN errand.jobs.request_id IS
    'X-Request-Id of the request that submitted it; null for jobs of schedules, of operations and of SQL';
COMMENT ON COLUMN errand.jobs.trace_context IS
    'The place in a trace that its attempts continue: traceparent of W3C Trace Context, and behind a space tracestate; or null';

-- The roles may write them.
SELECT errand.grant_to_roles();
