-- Sessions of the console that an identity provider has opened, sign-ins that are under way, and the project that a session is in.

ALTER TABLE errand.console_sessions
    ADD COLUMN provider_claims jsonb,
    ADD COLUMN project text;
COMMENT ON COLUMN errand.console_sessions.secret_hash IS
    'SHA-256 of the secret of that key, or of that token; of a session of a provider, of the settings that it was opened under';
COMMENT ON COLUMN errand.console_sessions.provider_claims IS
    'Of a session that an identity provider has opened: who it is of, and the values that give it roles; else null';
COMMENT ON COLUMN errand.console_sessions.project IS 'The project that was chosen, or null for that of the caller';

CREATE TABLE errand.console_sign_ins (
    id_hash      bytea       PRIMARY KEY CHECK (octet_length(id_hash) = 32),
    next         text        NOT NULL CHECK (length(next) <= 2000),
    redirect_uri text        NOT NULL CHECK (length(redirect_uri) <= 2000),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX console_sign_ins_by_time ON errand.console_sign_ins (created_at);
COMMENT ON TABLE errand.console_sign_ins IS
    'Sign-ins to the console that were sent to the identity provider and have not come back; each can come back once';
COMMENT ON COLUMN errand.console_sign_ins.id_hash IS 'SHA-256 of what the cookie of the browser holds';
COMMENT ON COLUMN errand.console_sign_ins.next IS 'The page to go to then, behind /console';

-- The table joins those of the console in errand.grant_to_roles(), whatever else that says by now.
DO $$
    DECLARE
        former constant text := pg_get_functiondef('errand.grant_to_roles()'::regprocedure);
        changed constant text := replace(former, 'errand.console_links', 'errand.console_links, errand.console_sign_ins');
    BEGIN
        IF changed = former THEN
            RAISE EXCEPTION 'errand: grant_to_roles() does not name errand.console_links';
        END IF;
        EXECUTE changed;
    END
$$;

SELECT errand.grant_to_roles();

-- How many jobs of a queue waited and ran, every five minutes of a day: what queue_counts said then. No job is looked at for it.
CREATE TABLE errand.queue_depths (
    queue      text        NOT NULL,
    sampled_at timestamptz NOT NULL,
    waiting    bigint      NOT NULL,
    running    bigint      NOT NULL,
    PRIMARY KEY (queue, sampled_at)
);
CREATE INDEX queue_depths_by_time ON errand.queue_depths (sampled_at);
COMMENT ON TABLE errand.queue_depths IS 'How many jobs of each queue waited and ran, every five minutes of the last day; of at most 2,000 queues each time';

DO $$
    DECLARE
        grants constant text := pg_get_functiondef('errand.grant_to_roles()'::regprocedure);
        granted constant text := replace(grants, 'errand.queue_counts, errand.queue_events', 'errand.queue_counts, errand.queue_depths, errand.queue_events');
        confines constant text := pg_get_functiondef('errand.confine_reader()'::regprocedure);
        confined constant text := replace(confines, '(''queue_events'',', '(''queue_depths'', NULL, ''errand.project_of(queue) = PROJECT''), (''queue_events'',');
    BEGIN
        IF granted = grants OR confined = confines THEN
            RAISE EXCEPTION 'errand: grant_to_roles() or confine_reader() does not name errand.queue_events';
        END IF;
        EXECUTE granted;
        EXECUTE confined;
    END
$$;

SELECT errand.grant_to_roles();
SELECT errand.confine_reader();
