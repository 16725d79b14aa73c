-- Sessions of the console, and links that open one.

CREATE TABLE errand.console_sessions (
    id_hash      bytea       PRIMARY KEY CHECK (octet_length(id_hash) = 32),
    principal    text        NOT NULL,
    key_id       text        REFERENCES errand.api_keys ON DELETE CASCADE,
    secret_hash  bytea       NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX console_sessions_of_callers ON errand.console_sessions (principal, created_at);
CREATE INDEX console_sessions_of_keys ON errand.console_sessions (key_id);
COMMENT ON TABLE errand.console_sessions IS 'Sign-ins to the console; of the cookie only the SHA-256 is kept';
COMMENT ON COLUMN errand.console_sessions.key_id IS 'The key that it was opened with, with whose end it ends; null for the token of the configuration';
COMMENT ON COLUMN errand.console_sessions.secret_hash IS 'SHA-256 of the secret of that key, or of that token';
COMMENT ON COLUMN errand.console_sessions.last_used_at IS 'To the minute';

CREATE TABLE errand.console_links (
    hash        bytea       PRIMARY KEY CHECK (octet_length(hash) = 32),
    key_id      text,
    secret_hash bytea       NOT NULL CHECK (octet_length(secret_hash) = 32),
    expires_at  timestamptz NOT NULL
);
COMMENT ON TABLE errand.console_links IS 'Links to the console that have not been used; each opens one session';
