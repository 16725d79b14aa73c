-- Free text about a job, for people.

ALTER TABLE errand.jobs ADD COLUMN description text;

COMMENT ON COLUMN errand.jobs.description IS 'At most 1,000 characters, from the client; shown, and used for nothing';
