-- A job of a project that is being removed, or has been, is refused with foreign_key_violation. A foreign key would lock the row
-- of the project for each job, also that of default. The lock of a project's name is held until the transaction ends;
-- who removes the project takes the same lock alone, and does not wait for it.
CREATE FUNCTION errand.has_project() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(hashtextextended('errand project ' || NEW.project, 0));
            IF NOT EXISTS (SELECT FROM errand.projects p WHERE p.name = NEW.project) THEN
                RAISE EXCEPTION 'there is no project %', NEW.project USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN NEW;
        END
    $$;
REVOKE EXECUTE ON FUNCTION errand.has_project FROM PUBLIC;

CREATE TRIGGER jobs_have_a_project BEFORE INSERT ON errand.jobs
    FOR EACH ROW WHEN (NEW.project <> 'default') EXECUTE FUNCTION errand.has_project();

-- What the API checks in env and stdin, errand.submit checks too.
CREATE FUNCTION errand.submit_secret(field text, value text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            IF starts_with(value, 'secret://') AND value !~ '^secret://[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$' THEN
                PERFORM errand.submit_refuse(field,
                    'begins with secret://, so all of it must match secret://[A-Za-z0-9_][A-Za-z0-9._-]{0,99}');
            END IF;
        END
    $$;

CREATE OR REPLACE FUNCTION errand.submit_keeps_rules() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            refusal text := errand.refusal(NEW);
        BEGIN
            IF refusal IS NOT NULL THEN
                PERFORM errand.submit_refuse(split_part(refusal, ': ', 1), substr(refusal, strpos(refusal, ': ') + 2));
            END IF;
            PERFORM errand.submit_secret('stdin', NEW.stdin);
            PERFORM errand.submit_secret('env.' || m.key, m.value) FROM jsonb_each_text(NEW.env) AS m;
            RETURN NEW;
        END
    $$;
REVOKE EXECUTE ON FUNCTION errand.submit_secret FROM PUBLIC;
