-- Values of env and stdin of jobs are encrypted where the server that accepts them has a key. Both columns are null
-- where they are in clear: jobs from before this version, from servers without a key, and those of errand.submit.

ALTER TABLE errand.jobs
    ADD COLUMN sealed_key text,
    ADD COLUMN sealed_for uuid;

COMMENT ON COLUMN errand.jobs.sealed_key IS
    'Id of the key that the values of env and stdin are encrypted with (AES-256-GCM, Base64); null where they are in clear';
COMMENT ON COLUMN errand.jobs.sealed_for IS
    'The id that the encrypted values are bound to: its own, or that of the job that was submitted first and that it repeats';
