-- The roles of the database, for an owner of the schema who may not make roles. A role that may runs this in the database,
-- best after `errand migrate` or the first start of a server:
--   psql -h db.example.org -U postgres -d errand -v ON_ERROR_STOP=1 -f db/roles.sql
-- It may be run again. Roles belong to the whole cluster: before a dump is restored on another one, run it there.

DO $$
    DECLARE
        owner name := pg_get_userbyid(coalesce(
            (SELECT relowner FROM pg_class WHERE oid = to_regclass('errand.jobs')),
            (SELECT datdba FROM pg_database WHERE datname = current_database())));
    BEGIN
        IF to_regrole('errand_api') IS NULL THEN
            CREATE ROLE errand_api NOLOGIN NOINHERIT;
        END IF;
        IF to_regrole('errand_worker') IS NULL THEN
            CREATE ROLE errand_worker NOLOGIN;
        END IF;
        IF to_regrole('errand_reader') IS NULL THEN
            CREATE ROLE errand_reader NOLOGIN;
        END IF;
        GRANT errand_reader TO errand_api;
        EXECUTE format('GRANT errand_api TO %I', owner);
        IF to_regprocedure('errand.grant_to_roles()') IS NOT NULL THEN
            PERFORM errand.grant_to_roles();
        END IF;
        IF to_regprocedure('errand.confine_reader()') IS NOT NULL THEN
            PERFORM errand.confine_reader();
        END IF;
    END
$$;
