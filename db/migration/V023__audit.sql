-- Who has changed what, and who was refused: rows that are only added, each with the hash of the one before. ADR 38.

CREATE TABLE errand.audit (
    seq           bigint      PRIMARY KEY,
    at            timestamptz NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('change', 'refused')),
    principal     text,
    name          text,
    key_id        text,
    identity_kind text,
    role          text,
    project       text,
    action        text        NOT NULL,
    thing         text,
    filter        text,
    count         bigint,
    address       text,
    request_id    text,
    status        integer,
    tries         bigint      NOT NULL CHECK (tries > 0),
    previous_hash bytea       NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea       NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE INDEX audit_by_project ON errand.audit (project, seq);
CREATE INDEX audit_by_principal ON errand.audit (principal, seq);
COMMENT ON TABLE errand.audit IS 'A change by a person or a key, or tries that were refused. Rows are only added; retention removes the oldest';
COMMENT ON COLUMN errand.audit.at IS 'When the request came; of refused tries, when the row was written';
COMMENT ON COLUMN errand.audit.action IS 'Method and route, such as DELETE /v1/keys/{id}';
COMMENT ON COLUMN errand.audit.thing IS 'The id or the name in the path; of a request that makes something, what it has made';
COMMENT ON COLUMN errand.audit.filter IS 'Of a bulk change, what was asked for, as JSON; at most 2,000 characters';
COMMENT ON COLUMN errand.audit.count IS 'How many jobs a bulk change began with, as far as that was known';
COMMENT ON COLUMN errand.audit.status IS 'Of the answer; null if the server ended before it answered';
COMMENT ON COLUMN errand.audit.tries IS 'How many requests the row stands for';
COMMENT ON COLUMN errand.audit.hash IS 'SHA-256 of previous_hash and the content of the row';

CREATE TABLE errand.audit_begun (
    id    uuid        PRIMARY KEY,
    at    timestamptz NOT NULL DEFAULT now(),
    entry jsonb       NOT NULL
);
COMMENT ON TABLE errand.audit_begun IS 'Changes that were let in and are not in audit yet';

CREATE TABLE errand.audit_head (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq         bigint  NOT NULL,
    hash        bytea   NOT NULL CHECK (octet_length(hash) = 32),
    sealed_seq  bigint  NOT NULL CHECK (sealed_seq <= seq),
    sealed_hash bytea   NOT NULL CHECK (octet_length(sealed_hash) = 32)
);
COMMENT ON TABLE errand.audit_head IS 'One row: the ends of the chain of audit. Whoever adds or removes rows locks it';
COMMENT ON COLUMN errand.audit_head.sealed_seq IS 'The last row that retention has removed; 0 for none';

INSERT INTO errand.audit_head (seq, hash, sealed_seq, sealed_hash)
VALUES (0, sha256('errand audit'), 0, sha256('errand audit'));

CREATE FUNCTION errand.audit_refuse() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit' THEN
                IF OLD.seq <= (SELECT h.sealed_seq FROM errand.audit_head h) THEN
                    RETURN OLD;
                END IF;
            ELSIF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'audit_head' THEN
                IF NEW.seq >= OLD.seq AND NEW.sealed_seq >= OLD.sealed_seq THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '% of errand.% is refused: the audit is only added to', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END
    $$;

CREATE TRIGGER rows_stay BEFORE UPDATE OR DELETE ON errand.audit
    FOR EACH ROW EXECUTE FUNCTION errand.audit_refuse();
CREATE TRIGGER table_stays BEFORE TRUNCATE ON errand.audit
    FOR EACH STATEMENT EXECUTE FUNCTION errand.audit_refuse();
CREATE TRIGGER row_stays BEFORE UPDATE OR DELETE ON errand.audit_head
    FOR EACH ROW EXECUTE FUNCTION errand.audit_refuse();
CREATE TRIGGER table_stays BEFORE TRUNCATE ON errand.audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION errand.audit_refuse();

-- No two values have the same form, and no two lists of values either.
CREATE FUNCTION errand.audit_field(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT CASE WHEN value IS NULL THEN '-' ELSE octet_length(value) || ':' || value END $$;

-- store.audit.AuditChain makes the same of a row.
CREATE FUNCTION errand.audit_hash(r errand.audit) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT sha256(r.previous_hash || convert_to(string_agg(errand.audit_field(f.value), '' ORDER BY f.place), 'UTF8'))
        FROM unnest(ARRAY[
            r.seq::text, (extract(epoch FROM r.at) * 1000000)::bigint::text, r.kind, r.principal, r.name, r.key_id,
            r.identity_kind, r.role, r.project, r.action, r.thing, r.filter, r.count::text, r.address, r.request_id,
            r.status::text, r.tries::text]) WITH ORDINALITY AS f (value, place)
    $$;

-- An entry with the id of a begun change counts once: a second one of it finds it gone.
CREATE FUNCTION errand.audit_append(entries jsonb) RETURNS SETOF errand.audit
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            head errand.audit_head;
            given jsonb;
            r errand.audit;
            begun_at timestamptz;
        BEGIN
            SELECT h.* INTO STRICT head FROM errand.audit_head h FOR UPDATE;
            FOR given IN SELECT e.value FROM jsonb_array_elements(entries) WITH ORDINALITY AS e (value, place) ORDER BY e.place LOOP
                begun_at := NULL;
                IF given ? 'begun' THEN
                    DELETE FROM errand.audit_begun b WHERE b.id = (given ->> 'begun')::uuid RETURNING b.at INTO begun_at;
                    CONTINUE WHEN NOT FOUND;
                END IF;
                r := jsonb_populate_record(NULL::errand.audit, given);
                r.at := coalesce(begun_at, clock_timestamp());
                r.seq := head.seq + 1;
                r.previous_hash := head.hash;
                r.hash := errand.audit_hash(r);
                INSERT INTO errand.audit SELECT r.*;
                head.seq := r.seq;
                head.hash := r.hash;
                RETURN NEXT r;
            END LOOP;
            UPDATE errand.audit_head SET seq = head.seq, hash = head.hash WHERE audit_head.seq < head.seq;
        END
    $$;

-- Of the oldest rows, as many as may go; the hash of the last one stays.
CREATE FUNCTION errand.audit_forget(age interval, most integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            head errand.audit_head;
            last_hash bytea;
            last_seq bigint;
        BEGIN
            SELECT h.* INTO STRICT head FROM errand.audit_head h FOR UPDATE;
            SELECT o.seq, o.hash INTO last_seq, last_hash
            FROM (SELECT a.seq, a.hash, bool_and(a.at < now() - age) OVER (ORDER BY a.seq) AS goes
                  FROM (SELECT * FROM errand.audit b ORDER BY b.seq LIMIT most) a) o
            WHERE o.goes ORDER BY o.seq DESC LIMIT 1;
            IF NOT FOUND THEN
                RETURN 0;
            END IF;
            UPDATE errand.audit_head SET sealed_seq = last_seq, sealed_hash = last_hash;
            DELETE FROM errand.audit a WHERE a.seq <= last_seq;
            RETURN last_seq - head.sealed_seq;
        END
    $$;

REVOKE ALL ON FUNCTION errand.audit_append(jsonb), errand.audit_forget(interval, integer) FROM PUBLIC;
