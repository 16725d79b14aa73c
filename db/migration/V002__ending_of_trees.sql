-- How the process tree of an attempt was ended.

ALTER TABLE errand.attempts
    ADD COLUMN signals_sent jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN tree_empty boolean;

COMMENT ON COLUMN errand.attempts.signals_sent IS
    'The signals that the worker sent, in order, and how many processes each reached';
COMMENT ON COLUMN errand.attempts.tree_empty IS
    'Whether nothing of the process tree ran any more when this was written; null where nobody looked';
