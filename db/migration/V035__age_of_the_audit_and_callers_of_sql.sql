-- Rows of the audit that are younger than a day stay, whoever asks; and what was removed last is told to the check.

ALTER TABLE errand.audit_head ADD COLUMN sealed_at timestamptz, ADD COLUMN sealed_row_at timestamptz;
COMMENT ON COLUMN errand.audit_head.sealed_at IS 'when rows were removed last';
COMMENT ON COLUMN errand.audit_head.sealed_row_at IS 'the time of the youngest row that was removed then';

-- Of the oldest rows, as many as may go; the hash of the last one stays. A login that may call this must not be able to remove
-- what it has just done: an age below 24 hours is 24 hours, and so is none. At most 10,000 rows go at a time.
CREATE OR REPLACE FUNCTION errand.audit_forget(age interval, most integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            head errand.audit_head;
            kept interval := greatest(age, interval '24 hours');
            bound integer := least(greatest(most, 0), 10000);
            last_hash bytea;
            last_seq bigint;
            youngest timestamptz;
        BEGIN
            IF age IS NULL OR most IS NULL THEN
                RETURN 0;
            END IF;
            SELECT h.* INTO STRICT head FROM errand.audit_head h FOR UPDATE;
            SELECT o.seq, o.hash, o.youngest INTO last_seq, last_hash, youngest
            FROM (SELECT a.seq, a.hash, bool_and(a.at < now() - kept) OVER (ORDER BY a.seq) AS goes,
                         max(a.at) OVER (ORDER BY a.seq) AS youngest
                  FROM (SELECT * FROM errand.audit b ORDER BY b.seq LIMIT bound) a) o
            WHERE o.goes ORDER BY o.seq DESC LIMIT 1;
            IF NOT FOUND THEN
                RETURN 0;
            END IF;
            UPDATE errand.audit_head
            SET sealed_seq = last_seq, sealed_hash = last_hash, sealed_at = now(), sealed_row_at = youngest;
            DELETE FROM errand.audit a WHERE a.seq <= last_seq;
            RETURN last_seq - head.sealed_seq;
        END
    $$;

-- A caller may be called sql:… and be none of SQL. Every submit by SQL has the caller sql:SESSION_USER.
DROP TRIGGER submits_by_sql_keep_rules ON errand.jobs;
CREATE TRIGGER submits_by_sql_keep_rules BEFORE INSERT ON errand.jobs
    FOR EACH ROW WHEN (NEW.principal = 'sql:' || session_user) EXECUTE FUNCTION errand.submit_keeps_rules();
DROP TRIGGER submits_by_sql_keep_bounds ON errand.jobs;
CREATE TRIGGER submits_by_sql_keep_bounds BEFORE INSERT ON errand.jobs
    FOR EACH ROW WHEN (NEW.principal = 'sql:' || session_user) EXECUTE FUNCTION errand.submit_keeps_bounds();
