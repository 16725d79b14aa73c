-- Bounds of projects hold for submits by SQL, and names have no control characters.

-- Keys of jobs of earlier versions may hold U+001F, which stands behind the project since V019. Their rows would break
-- jobs_project at their next change. Jobs that share a key go on sharing one.
UPDATE errand.jobs SET concurrency_key = replace(concurrency_key, chr(31), chr(9247))
WHERE project = 'default' AND strpos(concurrency_key, chr(31)) > 0;

CREATE FUNCTION errand.submit_waiting(project text) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT coalesce(sum(c.jobs), 0)::bigint FROM errand.queue_counts c
        WHERE errand.project_of(c.queue) = submit_waiting.project AND c.state IN ('queued', 'retrying')
    $$;

CREATE FUNCTION errand.submit_project_full(project text, max_waiting bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            RAISE EXCEPTION 'queue: as many jobs of the project % wait as its max_waiting, %, allows; nothing was stored',
                project, max_waiting USING ERRCODE = 'ER429', COLUMN = 'queue';
        END
    $$;

-- The first call of a transaction decides about all of its queues, then about their projects, which stand here
-- behind the word "project" and a blank.
CREATE OR REPLACE FUNCTION errand.submit_admit() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            names text[];
            excess record;
        BEGIN
            WITH mine AS (
                DELETE FROM errand.submits_to_admit s WHERE s.transaction_id = pg_current_xact_id() RETURNING s.queue
            )
            SELECT array_agg(m.queue ORDER BY m.queue LIKE 'project %', m.queue COLLATE "C") INTO names FROM mine m;
            -- The locks of store.submit.Depths, in the same order.
            PERFORM pg_advisory_xact_lock(hashtextextended(q.name, 20261201)) FROM unnest(names) AS q (name);
            -- A new snapshot: it has what was committed before the lock was given.
            SELECT q.name, q.max_depth INTO excess FROM errand.queues q
            WHERE q.name = ANY (names) AND q.overload = 'refuse' AND errand.submit_depth(q.name) > q.max_depth
            LIMIT 1;
            IF FOUND THEN
                PERFORM errand.submit_full(excess.name, excess.max_depth);
            END IF;
            SELECT p.name, p.max_waiting INTO excess FROM errand.projects p
            WHERE 'project ' || p.name = ANY (names) AND errand.submit_waiting(p.name) > p.max_waiting
            LIMIT 1;
            IF FOUND THEN
                PERFORM errand.submit_project_full(excess.name, excess.max_waiting);
            END IF;
            RETURN NULL;
        END
    $$;

COMMENT ON COLUMN errand.submits_to_admit.queue IS
    'A queue with max_depth, or "project" and the name of a project with max_waiting';

-- As of a submit by the API. It is called for jobs of submits by SQL alone.
CREATE FUNCTION errand.submit_keeps_bounds() RETURNS trigger
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            most bigint;
        BEGIN
            IF NEW.concurrency_key ~ '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]' THEN
                PERFORM errand.submit_refuse('concurrency_key',
                    'must not hold control characters, line separators or changes of direction');
            END IF;
            SELECT p.max_waiting INTO most FROM errand.projects p
            WHERE p.name = NEW.project AND p.max_waiting IS NOT NULL;
            IF FOUND THEN
                IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
                    RAISE EXCEPTION 'queue: the project % has a max_waiting, and its jobs can be counted in a transaction that is READ COMMITTED only; nothing was stored',
                        NEW.project USING ERRCODE = 'invalid_transaction_state', COLUMN = 'queue';
                END IF;
                IF errand.submit_waiting(NEW.project) >= most THEN
                    PERFORM errand.submit_project_full(NEW.project, most);
                END IF;
                INSERT INTO errand.submits_to_admit (transaction_id, queue)
                VALUES (pg_current_xact_id(), 'project ' || NEW.project) ON CONFLICT DO NOTHING;
            END IF;
            RETURN NEW;
        END
    $$;

CREATE TRIGGER submits_by_sql_keep_bounds BEFORE INSERT ON errand.jobs
    FOR EACH ROW WHEN (NEW.principal LIKE 'sql:%') EXECUTE FUNCTION errand.submit_keeps_bounds();

CREATE OR REPLACE FUNCTION errand.submit_labels(labels jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            checked jsonb := errand.submit_strings('labels', labels, 64, 255);
        BEGIN
            IF EXISTS (SELECT FROM jsonb_object_keys(checked) AS k (name) WHERE name = '' OR name LIKE '%:%') THEN
                PERFORM errand.submit_refuse('labels', 'must have names that are not empty and hold no colon');
            ELSIF EXISTS (SELECT FROM jsonb_object_keys(checked) AS k (name)
                          WHERE name ~ '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]') THEN
                PERFORM errand.submit_refuse('labels', 'has a name that must not hold control characters, line separators or changes of direction');
            END IF;
            RETURN checked;
        END
    $$;

REVOKE EXECUTE ON FUNCTION errand.submit_waiting, errand.submit_project_full, errand.submit_keeps_bounds FROM PUBLIC;
