-- Until now every job and key was written under an empty name, though all of them were the administrator's.

UPDATE errand.jobs SET principal = 'admin' WHERE principal = '';
UPDATE errand.idempotency_keys SET principal = 'admin' WHERE principal = '';
UPDATE errand.removed_jobs SET principal = 'admin' WHERE principal = '';
