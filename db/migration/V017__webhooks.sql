-- A job may name a URL that is told when the job has reached a final state.

ALTER TABLE errand.jobs
    ADD COLUMN on_finish jsonb,
    ADD COLUMN on_finish_state text;

COMMENT ON COLUMN errand.jobs.on_finish IS
    'url and secret_ref of the webhook that is told when the job has finished, or null';
COMMENT ON COLUMN errand.jobs.on_finish_state IS
    'Null until a delivery is made, pending while it is tried, done once it has ended. Retention keeps the job until then';

-- Finished jobs whose delivery has not been made yet. So no statement that changes a state knows of webhooks.
CREATE INDEX jobs_to_deliver ON errand.jobs (finished_at)
    WHERE on_finish IS NOT NULL AND on_finish_state IS NULL
      AND state IN ('succeeded', 'failed', 'cancelled');

CREATE TABLE errand.webhook_deliveries (
    id            uuid        PRIMARY KEY,
    job_id        uuid        NOT NULL UNIQUE,
    principal     text        NOT NULL,
    type          text        NOT NULL,
    url           text        NOT NULL,
    host          text        NOT NULL,
    secret_ref    text,
    state         text        NOT NULL DEFAULT 'pending',
    tries         integer     NOT NULL DEFAULT 0,
    last_status   smallint,
    last_error    text,
    last_tried_at timestamptz,
    next_try_at   timestamptz DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    claim_token   uuid,

    CONSTRAINT webhook_deliveries_state_known CHECK
        (state IN ('pending', 'delivered', 'failed', 'disabled')),
    CONSTRAINT webhook_deliveries_pending_has_a_next_try CHECK
        ((state = 'pending') = (next_try_at IS NOT NULL)),
    CONSTRAINT webhook_deliveries_ended_is_finished CHECK
        ((state = 'pending') = (finished_at IS NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- By host, so that a slow receiver does not hold up the others.
CREATE INDEX webhook_deliveries_due ON errand.webhook_deliveries (host, next_try_at)
    WHERE state = 'pending';
CREATE INDEX webhook_deliveries_listed ON errand.webhook_deliveries (principal, created_at, id);

COMMENT ON TABLE errand.webhook_deliveries IS
    'One row for each finished job with on_finish: whether its webhook was told. Removed with its job';
COMMENT ON COLUMN errand.webhook_deliveries.id IS
    'The webhook-id of every try, and the id of the event';
COMMENT ON COLUMN errand.webhook_deliveries.type IS
    'The type of the event: io.errand.job.succeeded, io.errand.job.failed or io.errand.job.cancelled';
COMMENT ON COLUMN errand.webhook_deliveries.host IS 'Of the url, in lower case';
COMMENT ON COLUMN errand.webhook_deliveries.state IS
    'pending; ended: delivered (2xx), failed (no try is left), disabled (the receiver has answered 410)';
COMMENT ON COLUMN errand.webhook_deliveries.tries IS
    'Tries that have ended since it was made or last resent';
COMMENT ON COLUMN errand.webhook_deliveries.last_status IS
    'HTTP status of the latest try, null where there was no answer';
COMMENT ON COLUMN errand.webhook_deliveries.last_error IS
    'Why the latest try has failed, for people; without secrets';
COMMENT ON COLUMN errand.webhook_deliveries.next_try_at IS
    'Not tried before. While a process tries it: when another process may do so';
COMMENT ON COLUMN errand.webhook_deliveries.claim_token IS
    'Of the process that tries it; every write about that try names it';

CREATE TABLE errand.disabled_webhooks (
    principal   text        NOT NULL,
    url         text        NOT NULL,
    delivery_id uuid        NOT NULL,
    disabled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, url)
);

CREATE INDEX disabled_webhooks_age ON errand.disabled_webhooks (disabled_at);

COMMENT ON TABLE errand.disabled_webhooks IS
    'URLs that have answered 410 to a delivery of a caller: nothing is sent to them until a delivery is resent, or 30 days have passed';
COMMENT ON COLUMN errand.disabled_webhooks.delivery_id IS 'The delivery that was answered with 410';
