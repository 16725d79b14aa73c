-- Jobs are submitted by SQL, too: in the transaction of the caller, so that a job is there exactly if that commits.
-- The rules are those of the API, and so are their words.

-- Text is measured as the API does: in units of UTF-16.
CREATE FUNCTION errand.submit_length(value text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT length(value) + length(regexp_replace(value, '[\u0001-\uffff]', '', 'g')) $$;

CREATE FUNCTION errand.submit_refuse(field text, message text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            RAISE EXCEPTION '%: %',
                CASE WHEN length(field) > 200 THEN left(field, 200) || '…' ELSE field END, message
                USING ERRCODE = 'invalid_parameter_value', COLUMN = left(field, 63);
        END
    $$;

CREATE FUNCTION errand.submit_text(field text, value text, most integer) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            -- No character has more than two units.
            IF length(value) > most OR (2 * length(value) > most AND errand.submit_length(value) > most) THEN
                PERFORM errand.submit_refuse(field, format('must have at most %s characters', most));
            END IF;
        END
    $$;

CREATE FUNCTION errand.submit_whole(field text, value jsonb, minimum bigint, most bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            number numeric;
        BEGIN
            IF jsonb_typeof(value) = 'number' THEN
                number := value #>> '{}';
            END IF;
            IF number IS NULL OR number < minimum OR number > most OR number <> trunc(number) THEN
                PERFORM errand.submit_refuse(field, format('must be a whole number from %s to %s', minimum, most));
            END IF;
            RETURN number;
        END
    $$;

CREATE FUNCTION errand.submit_number(
    field text, value double precision, minimum double precision, above boolean, most double precision) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
    AS $$
        BEGIN
            IF value IS NULL OR value = 'NaN' OR value > most OR value < minimum OR (above AND value = minimum) THEN
                PERFORM errand.submit_refuse(field, format(
                    CASE WHEN above THEN 'must be a number greater than %s, at most %s'
                         ELSE 'must be a number from %s to %s' END,
                    trim_scale(minimum::text::numeric), trim_scale(most::text::numeric)));
            END IF;
        END
    $$;

CREATE FUNCTION errand.submit_json_number(
    field text, value jsonb, fallback double precision, minimum double precision, most double precision)
    RETURNS double precision
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            number double precision := CASE WHEN value IS NULL THEN fallback END;
        BEGIN
            IF jsonb_typeof(value) = 'number' AND abs((value #>> '{}')::numeric) < 1e300 THEN
                number := value #>> '{}';
            END IF;
            PERFORM errand.submit_number(field, number, minimum, false, most);
            RETURN number;
        END
    $$;

CREATE FUNCTION errand.submit_time(field text, value timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            IF value < '1970-01-01T00:00:00Z' OR value > '9999-12-31T23:59:59Z' THEN
                PERFORM errand.submit_refuse(
                    field, 'must be an RFC 3339 time from 1970 to 9999, such as 2026-11-23T10:00:00Z');
            END IF;
        END
    $$;

-- An element of a word list, where null is a missing one.
CREATE FUNCTION errand.submit_word(field text, value jsonb, words text[]) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            IF value IS NOT NULL AND (jsonb_typeof(value) <> 'string' OR value #>> '{}' <> ALL (words)) THEN
                PERFORM errand.submit_refuse(field, 'must be one of ' || array_to_string(words, ', '));
            END IF;
            RETURN value #>> '{}';
        END
    $$;

-- An object with known members only; those that are null count as missing, and so does a null object.
CREATE FUNCTION errand.submit_object(field text, value jsonb, known text[]) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            unknown text;
        BEGIN
            IF value IS NULL OR jsonb_typeof(value) = 'null' THEN
                RETURN NULL;
            END IF;
            IF jsonb_typeof(value) <> 'object' THEN
                PERFORM errand.submit_refuse(field, 'must be an object');
            END IF;
            SELECT name INTO unknown FROM jsonb_object_keys(value) AS k (name) WHERE name <> ALL (known) LIMIT 1;
            IF unknown IS NOT NULL THEN
                PERFORM errand.submit_refuse(field || '.' || unknown, 'is not a known field');
            END IF;
            RETURN (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}')
                    FROM jsonb_each(value) AS m WHERE jsonb_typeof(m.value) <> 'null');
        END
    $$;

CREATE FUNCTION errand.submit_list(field text, value jsonb, most integer) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            IF jsonb_typeof(value) <> 'array' OR jsonb_array_length(value) > most THEN
                PERFORM errand.submit_refuse(field, format('must be a list of at most %s', most));
            END IF;
        END
    $$;

CREATE FUNCTION errand.submit_string(field text, value jsonb, most integer) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        BEGIN
            IF jsonb_typeof(value) <> 'string' THEN
                PERFORM errand.submit_refuse(field, 'must be a string');
            END IF;
            PERFORM errand.submit_text(field, value #>> '{}', most);
            RETURN value #>> '{}';
        END
    $$;

-- An object of strings.
CREATE FUNCTION errand.submit_strings(field text, value jsonb, most integer, most_characters integer) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            member record;
            members integer := 0;
        BEGIN
            IF value IS NULL OR jsonb_typeof(value) = 'null' THEN
                RETURN '{}';
            END IF;
            IF jsonb_typeof(value) = 'object' THEN
                SELECT count(*) INTO members FROM jsonb_object_keys(value);
            END IF;
            IF jsonb_typeof(value) <> 'object' OR members > most THEN
                PERFORM errand.submit_refuse(field, format('must be an object of at most %s strings', most));
            END IF;
            FOR member IN SELECT m.key, m.value FROM jsonb_each(value) AS m LOOP
                IF errand.submit_length(member.key) > most_characters THEN
                    PERFORM errand.submit_refuse(
                        field, format('has a name that must have at most %s characters', most_characters));
                END IF;
                PERFORM errand.submit_string(field || '.' || member.key, member.value, most_characters);
            END LOOP;
            RETURN value;
        END
    $$;

CREATE FUNCTION errand.submit_command(command text[]) RETURNS text[]
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            words text[];
            bytes bigint;
        BEGIN
            IF command IS NULL THEN
                PERFORM errand.submit_refuse('command', 'is required: a list of strings, the program first');
            END IF;
            IF coalesce(array_ndims(command), 0) <> 1 OR cardinality(command) > 1024 THEN
                PERFORM errand.submit_refuse('command', 'must be a list of 1 to 1024 strings');
            END IF;
            words := ARRAY(SELECT w FROM unnest(command) WITH ORDINALITY AS c (w, place) ORDER BY place); -- from 1 on
            FOR i IN 1 .. cardinality(words) LOOP
                IF words[i] IS NULL THEN
                    PERFORM errand.submit_refuse(format('command[%s]', i - 1), 'must be a string');
                END IF;
                PERFORM errand.submit_text(format('command[%s]', i - 1), words[i], 1048576);
            END LOOP;
            IF words[1] = '' THEN
                PERFORM errand.submit_refuse('command[0]', 'must not be empty');
            END IF;
            SELECT sum(octet_length(w) + 1) INTO bytes FROM unnest(words) AS c (w);
            IF bytes > 131072 THEN
                PERFORM errand.submit_refuse('command', 'must have at most 131072 bytes in all');
            END IF;
            RETURN words;
        END
    $$;

CREATE FUNCTION errand.submit_env(env jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            checked jsonb := errand.submit_strings('env', env, 1000, 1048576);
            variable record;
            bytes bigint := 0;
        BEGIN
            FOR variable IN SELECT m.key, m.value FROM jsonb_each_text(checked) AS m LOOP
                IF variable.key !~ '^[A-Za-z_][A-Za-z0-9_]*$' THEN
                    PERFORM errand.submit_refuse(
                        'env.' || variable.key, 'has a name that does not match [A-Za-z_][A-Za-z0-9_]*');
                ELSIF variable.key ~ '^(ERRAND_|LD_)' OR variable.key = 'TRACEPARENT' THEN
                    PERFORM errand.submit_refuse('env.' || variable.key, 'is a name that only the server may set');
                END IF;
                bytes := bytes + length(variable.key) + octet_length(variable.value) + 2;
            END LOOP;
            IF bytes > 131072 THEN
                PERFORM errand.submit_refuse('env', 'must have at most 131072 bytes in all');
            END IF;
            RETURN checked;
        END
    $$;

CREATE FUNCTION errand.submit_labels(labels jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            checked jsonb := errand.submit_strings('labels', labels, 64, 255);
        BEGIN
            IF EXISTS (SELECT FROM jsonb_object_keys(checked) AS k (name) WHERE name = '' OR name LIKE '%:%') THEN
                PERFORM errand.submit_refuse('labels', 'must have names that are not empty and hold no colon');
            END IF;
            RETURN checked;
        END
    $$;

CREATE FUNCTION errand.submit_backoff(backoff jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
    AS $$
        DECLARE
            given jsonb := coalesce(
                errand.submit_object('backoff', backoff, '{base_seconds,factor,max_seconds,jitter}'), '{}');
            base double precision :=
                errand.submit_json_number('backoff.base_seconds', given -> 'base_seconds', 1, 0, 2592000);
            factor double precision := errand.submit_json_number('backoff.factor', given -> 'factor', 2, 1, 100);
            most double precision := errand.submit_json_number(
                'backoff.max_seconds', given -> 'max_seconds', greatest(base, 3600), base, 2592000);
        BEGIN
            RETURN jsonb_build_object(
                'base_seconds', base, 'factor', factor, 'max_seconds', most, 'jitter',
                coalesce(errand.submit_word('backoff.jitter', given -> 'jitter', '{full,equal,none}'), 'full'));
        END
    $$;

CREATE FUNCTION errand.submit_codes(field text, codes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            checked jsonb := '[]';
            code jsonb;
            ends text[];
        BEGIN
            PERFORM errand.submit_list(field, codes, 256);
            FOR i IN 0 .. jsonb_array_length(codes) - 1 LOOP
                code := codes -> i;
                ends := CASE WHEN jsonb_typeof(code) IN ('number', 'string')
                             THEN regexp_match(code #>> '{}', '^([0-9]{1,3})(?:-([0-9]{1,3}))?$') END;
                ends[2] := coalesce(ends[2], ends[1]);
                IF ends[1] IS NULL OR ends[2]::integer > 255 OR ends[1]::integer > ends[2]::integer THEN
                    PERFORM errand.submit_refuse(
                        format('%s[%s]', field, i), 'must be an exit code from 0 to 255, or a range as "64-78"');
                END IF;
                checked := checked || CASE WHEN ends[1]::integer = ends[2]::integer
                    THEN to_jsonb(ends[1]::integer)
                    ELSE to_jsonb(ends[1]::integer || '-' || ends[2]::integer) END;
            END LOOP;
            IF jsonb_array_length(codes) = 0 THEN
                PERFORM errand.submit_refuse(field, 'must name at least one exit code');
            END IF;
            RETURN checked;
        END
    $$;

CREATE FUNCTION errand.submit_retry(retry jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            checked jsonb := '[]';
            field text;
            rule jsonb;
        BEGIN
            IF retry IS NULL OR jsonb_typeof(retry) = 'null' THEN
                RETURN checked;
            END IF;
            PERFORM errand.submit_list('retry', retry, 100);
            FOR i IN 0 .. jsonb_array_length(retry) - 1 LOOP
                field := format('retry[%s]', i);
                IF jsonb_typeof(retry -> i) = 'null' THEN
                    PERFORM errand.submit_refuse(field, 'must be an object');
                END IF;
                rule := errand.submit_object(field, retry -> i, '{when,codes,then}');
                IF NOT rule ? 'when' THEN
                    PERFORM errand.submit_refuse(field || '.when', 'is required');
                ELSIF NOT rule ? 'then' THEN
                    PERFORM errand.submit_refuse(field || '.then', 'is required');
                END IF;
                PERFORM errand.submit_word(
                    field || '.when', rule -> 'when',
                    '{exit_code,out_of_disk,out_of_memory,signal,spawn_failed,timeout}');
                PERFORM errand.submit_word(field || '.then', rule -> 'then', '{retry,fail}');
                IF rule ? 'codes' THEN
                    rule := jsonb_set(rule, '{codes}', errand.submit_codes(field || '.codes', rule -> 'codes'));
                    IF rule ->> 'when' <> 'exit_code' THEN
                        PERFORM errand.submit_refuse(field || '.codes', 'is allowed with exit_code only');
                    END IF;
                END IF;
                checked := checked || jsonb_build_array(rule);
            END LOOP;
            RETURN checked;
        END
    $$;

CREATE FUNCTION errand.submit_success_exit_codes(codes integer[]) RETURNS smallint[]
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            code integer;
            place integer := 0;
        BEGIN
            IF codes IS NULL THEN
                RETURN '{0}';
            END IF;
            IF array_ndims(codes) > 1 OR cardinality(codes) > 256 THEN
                PERFORM errand.submit_refuse('success_exit_codes', 'must be a list of at most 256');
            END IF;
            FOREACH code IN ARRAY codes LOOP
                PERFORM errand.submit_whole(format('success_exit_codes[%s]', place), to_jsonb(code), 0, 255);
                place := place + 1;
            END LOOP;
            IF place = 0 THEN
                PERFORM errand.submit_refuse('success_exit_codes', 'must name at least one exit code');
            END IF;
            RETURN ARRAY(SELECT DISTINCT c::smallint FROM unnest(codes) AS u (c) ORDER BY 1);
        END
    $$;

CREATE FUNCTION errand.submit_limits(limits jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            given jsonb := errand.submit_object('limits', limits,
                '{memory_bytes,cpu_seconds,processes,file_size_bytes,open_files,disk_bytes,disk_files,nice}');
            checked jsonb := '{}';
            bound record;
        BEGIN
            FOR bound IN
                SELECT * FROM (VALUES
                    ('memory_bytes', 1048576, 1125899906842624), ('cpu_seconds', 1, 31536000),
                    ('processes', 1, 1048576), ('file_size_bytes', 0, 1125899906842624),
                    ('open_files', 16, 1048576), ('disk_bytes', 1, 1125899906842624),
                    ('disk_files', 1, 16777216), ('nice', 0, 19)) AS b (name, minimum, most)
                WHERE given ? b.name
            LOOP
                checked := checked || jsonb_build_object(bound.name, errand.submit_whole(
                    'limits.' || bound.name, given -> bound.name, bound.minimum, bound.most));
            END LOOP;
            RETURN checked;
        END
    $$;

CREATE FUNCTION errand.submit_sandbox(sandbox jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            given jsonb := errand.submit_object('sandbox', sandbox, '{network,read_only,writable}');
            name text;
            path text;
        BEGIN
            IF given IS NULL THEN
                RETURN NULL;
            END IF;
            FOREACH name IN ARRAY '{network,read_only}'::text[] LOOP
                IF jsonb_typeof(given -> name) <> 'boolean' THEN
                    PERFORM errand.submit_refuse('sandbox.' || name, 'must be true or false');
                END IF;
            END LOOP;
            IF given ? 'writable' THEN
                PERFORM errand.submit_list('sandbox.writable', given -> 'writable', 64);
                FOR i IN 0 .. jsonb_array_length(given -> 'writable') - 1 LOOP
                    path := errand.submit_string(
                        format('sandbox.writable[%s]', i), given -> 'writable' -> i, 4095);
                    IF path !~ '^/' OR path ~ '(^|/)\.{1,2}(/|$)' THEN
                        PERFORM errand.submit_refuse(
                            format('sandbox.writable[%s]', i), 'must be an absolute path without . and ..');
                    END IF;
                END LOOP;
            END IF;
            RETURN '{"network": false, "read_only": true, "writable": []}'::jsonb || given;
        END
    $$;

CREATE FUNCTION errand.submit_on_finish(on_finish jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
        DECLARE
            given jsonb := errand.submit_object('on_finish', on_finish, '{url,secret_ref}');
            parts text[];
        BEGIN
            IF given IS NULL THEN
                RETURN NULL;
            END IF;
            IF NOT given ? 'url' THEN
                PERFORM errand.submit_refuse('on_finish.url', 'is required');
            END IF;
            parts := regexp_match(
                errand.submit_string('on_finish.url', given -> 'url', 2048),
                '^(https?)://([A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?'
                    || '([/?][][A-Za-z0-9._~:/?@!$&''()*+,;=%-]*)?$');
            IF parts IS NULL OR parts[3]::integer NOT BETWEEN 1 AND 65535 THEN
                PERFORM errand.submit_refuse('on_finish.url',
                    'must be an http or https URL with a host, without user, password and fragment');
            END IF;
            IF given ? 'secret_ref'
                AND errand.submit_string('on_finish.secret_ref', given -> 'secret_ref', 255)
                    !~ '^secret://[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$' THEN
                PERFORM errand.submit_refuse(
                    'on_finish.secret_ref', 'must match secret://[A-Za-z0-9_][A-Za-z0-9._-]{0,99}');
            END IF;
            RETURN given;
        END
    $$;

-- UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, and 74 random bits.
CREATE FUNCTION errand.submit_id() RETURNS uuid
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    AS $$
        SELECT encode(set_bit(set_bit(overlay(
            uuid_send(gen_random_uuid())
            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
            FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
    $$;

CREATE FUNCTION errand.submit(
    command text[],
    idempotency_key text DEFAULT NULL,
    description text DEFAULT NULL,
    queue text DEFAULT NULL,
    priority integer DEFAULT NULL,
    run_at timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    stdin text DEFAULT NULL,
    env jsonb DEFAULT NULL,
    working_directory text DEFAULT NULL,
    timeout_seconds double precision DEFAULT NULL,
    kill_grace_seconds double precision DEFAULT NULL,
    max_attempts integer DEFAULT NULL,
    backoff jsonb DEFAULT NULL,
    retry jsonb DEFAULT NULL,
    success_exit_codes integer[] DEFAULT NULL,
    on_lost text DEFAULT NULL,
    stdout_limit_bytes integer DEFAULT NULL,
    stderr_limit_bytes integer DEFAULT NULL,
    concurrency_key text DEFAULT NULL,
    concurrency_limit integer DEFAULT NULL,
    labels jsonb DEFAULT NULL,
    limits jsonb DEFAULT NULL,
    run_as text DEFAULT NULL,
    sandbox jsonb DEFAULT NULL,
    on_finish jsonb DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
    AS $$
        #variable_conflict use_column
        DECLARE
            caller text := 'sql:' || session_user;
            new_id uuid := errand.submit_id();
            job jsonb;
            hash bytea;
            known record;
            rules errand.queues;
            missing text[] := array_remove(ARRAY[
                CASE WHEN submit.priority IS NULL THEN 'priority' END,
                CASE WHEN submit.timeout_seconds IS NULL THEN 'timeout_seconds' END,
                CASE WHEN submit.kill_grace_seconds IS NULL THEN 'kill_grace_seconds' END,
                CASE WHEN submit.max_attempts IS NULL THEN 'max_attempts' END,
                CASE WHEN submit.backoff IS NULL THEN 'backoff' END,
                CASE WHEN submit.retry IS NULL THEN 'retry' END,
                CASE WHEN submit.success_exit_codes IS NULL THEN 'success_exit_codes' END,
                CASE WHEN submit.on_lost IS NULL THEN 'on_lost' END,
                CASE WHEN submit.stdout_limit_bytes IS NULL THEN 'stdout_limit_bytes' END,
                CASE WHEN submit.stderr_limit_bytes IS NULL THEN 'stderr_limit_bytes' END], NULL);
        BEGIN
            IF submit.idempotency_key IS NOT NULL AND submit.idempotency_key !~ '^[ -~]{1,255}$' THEN
                PERFORM errand.submit_refuse('idempotency_key', 'must be 1 to 255 printable ASCII characters');
            END IF;
            PERFORM errand.submit_text('description', submit.description, 1000);
            submit.command := errand.submit_command(submit.command);
            PERFORM errand.submit_text('queue', submit.queue, 64);
            IF submit.queue !~ '^[a-z0-9][a-z0-9._-]{0,63}$' THEN
                PERFORM errand.submit_refuse('queue', 'must match [a-z0-9][a-z0-9._-]{0,63}');
            END IF;
            PERFORM errand.submit_time('run_at', submit.run_at);
            PERFORM errand.submit_time('expires_at', submit.expires_at);
            PERFORM errand.submit_text('stdin', submit.stdin, 1048576);
            PERFORM errand.submit_text('working_directory', submit.working_directory, 4095);
            IF submit.working_directory !~ '^/' THEN
                PERFORM errand.submit_refuse('working_directory', 'must be an absolute path');
            END IF;
            submit.timeout_seconds := coalesce(submit.timeout_seconds, 3600);
            PERFORM errand.submit_number('timeout_seconds', submit.timeout_seconds, 0, true, 31536000);
            submit.kill_grace_seconds := coalesce(submit.kill_grace_seconds, 10);
            PERFORM errand.submit_number('kill_grace_seconds', submit.kill_grace_seconds, 0, false, 300);
            submit.on_lost := coalesce(
                errand.submit_word('on_lost', to_jsonb(submit.on_lost), '{retry,fail,hold}'), 'retry');
            PERFORM errand.submit_text('concurrency_key', submit.concurrency_key, 255);
            IF submit.concurrency_key = '' THEN
                PERFORM errand.submit_refuse('concurrency_key', 'must not be empty');
            END IF;
            IF submit.concurrency_limit IS NOT NULL AND submit.concurrency_key IS NULL THEN
                PERFORM errand.submit_refuse('concurrency_limit', 'needs concurrency_key');
            END IF;
            PERFORM errand.submit_text('run_as', submit.run_as, 255);
            IF submit.run_as = '' OR submit.run_as ~ '[\u0001-\u001f\u007f-\u009f:/]' THEN
                PERFORM errand.submit_refuse(
                    'run_as', 'must not be empty, nor hold a colon, a slash or control characters');
            END IF;
            -- What is asked for, with the defaults: the row, and what tells a repeat from another request.
            job := jsonb_build_object(
                'command', submit.command,
                'description', submit.description,
                'queue', coalesce(submit.queue, 'default'),
                'priority', errand.submit_whole('priority', to_jsonb(coalesce(submit.priority, 0)), -100, 100),
                'run_at', submit.run_at AT TIME ZONE 'UTC',
                'expires_at', submit.expires_at AT TIME ZONE 'UTC',
                'stdin', submit.stdin,
                'env', errand.submit_env(submit.env),
                'working_directory', submit.working_directory,
                'timeout_seconds', submit.timeout_seconds,
                'kill_grace_seconds', submit.kill_grace_seconds,
                'max_attempts', errand.submit_whole(
                    'max_attempts', to_jsonb(coalesce(submit.max_attempts, 3)), 1, 10000),
                'backoff', errand.submit_backoff(submit.backoff),
                'retry', errand.submit_retry(submit.retry),
                'success_exit_codes', errand.submit_success_exit_codes(submit.success_exit_codes),
                'on_lost', submit.on_lost,
                'stdout_limit_bytes', errand.submit_whole(
                    'stdout_limit_bytes', to_jsonb(coalesce(submit.stdout_limit_bytes, 65536)), 0, 1048576),
                'stderr_limit_bytes', errand.submit_whole(
                    'stderr_limit_bytes', to_jsonb(coalesce(submit.stderr_limit_bytes, 65536)), 0, 1048576),
                'concurrency_key', submit.concurrency_key,
                'concurrency_limit', errand.submit_whole(
                    'concurrency_limit', to_jsonb(coalesce(submit.concurrency_limit, 1)), 1, 10000),
                'labels', errand.submit_labels(submit.labels),
                'limits', errand.submit_limits(submit.limits),
                'run_as', submit.run_as,
                'sandbox', errand.submit_sandbox(submit.sandbox),
                'on_finish', errand.submit_on_finish(submit.on_finish));
            hash := sha256(convert_to(job::text, 'UTF8'));

            IF submit.idempotency_key IS NOT NULL THEN
                -- Waits for another transaction that has the key and has not ended.
                INSERT INTO errand.idempotency_keys (principal, idempotency_key, job_id)
                VALUES (caller, submit.idempotency_key, new_id)
                ON CONFLICT DO NOTHING;
                IF NOT FOUND THEN
                    SELECT k.job_id, j.fingerprint INTO STRICT known
                    FROM errand.idempotency_keys k LEFT JOIN errand.jobs j ON j.id = k.job_id
                    WHERE k.principal = caller AND k.idempotency_key = submit.idempotency_key;
                    IF known.fingerprint IS NULL THEN
                        RAISE EXCEPTION 'idempotency_key: its job % has been removed; nothing was stored', known.job_id
                            USING ERRCODE = 'ER410', COLUMN = 'idempotency_key';
                    ELSIF known.fingerprint <> hash THEN
                        RAISE EXCEPTION 'idempotency_key: was used with another request; nothing was stored'
                            USING ERRCODE = 'ER422', COLUMN = 'idempotency_key';
                    END IF;
                    RETURN known.job_id;
                END IF;
            END IF;

            -- What the queue says: values of fields that were not given, and how many jobs may wait. The lock of
            -- the depth is not taken, because it would be held until the transaction of the caller ends.
            SELECT q.* INTO rules FROM errand.queues q WHERE q.name = job ->> 'queue';
            IF rules.max_depth IS NOT NULL AND rules.overload = 'refuse' AND rules.max_depth <= (
                SELECT coalesce(sum(c.jobs), 0) FROM errand.queue_counts c
                WHERE c.queue = rules.name AND c.state IN ('queued', 'retrying')) THEN
                RAISE EXCEPTION 'queue: % has as many waiting jobs as its max_depth, %, allows; nothing was stored',
                    rules.name, rules.max_depth USING ERRCODE = 'ER429', COLUMN = 'queue';
            END IF;
            IF rules.defaults <> '{}' THEN
                SELECT job || coalesce(jsonb_object_agg(d.key, CASE d.key
                        WHEN 'backoff' THEN errand.submit_backoff(d.value)
                        WHEN 'retry' THEN errand.submit_retry(d.value)
                        ELSE d.value END), '{}')
                INTO job FROM jsonb_each(rules.defaults) AS d WHERE d.key = ANY (missing);
                job := jsonb_set(job, '{limits}', coalesce(rules.defaults -> 'limits', '{}') || (job -> 'limits'));
                submit.expires_at := coalesce(submit.expires_at, coalesce(submit.run_at, now())
                    + make_interval(secs => (rules.defaults ->> 'expires_after_seconds')::double precision));
            END IF;

            WITH stored AS (
                INSERT INTO errand.jobs (
                    id, state, description, queue, priority, command, max_attempts, run_at, expires_at, labels,
                    concurrency_key, concurrency_limit, idempotency_key, principal, timeout_seconds, kill_grace_seconds,
                    stdout_limit_bytes, stderr_limit_bytes, success_exit_codes, on_lost, backoff, retry,
                    working_directory, env, stdin, fingerprint, limits, run_as, sandbox, on_finish)
                SELECT new_id, 'queued', submit.description, job ->> 'queue', (job ->> 'priority')::smallint,
                       submit.command, (job ->> 'max_attempts')::integer, coalesce(submit.run_at, now()),
                       submit.expires_at, job -> 'labels', submit.concurrency_key,
                       (job ->> 'concurrency_limit')::integer, submit.idempotency_key, caller,
                       (job ->> 'timeout_seconds')::double precision,
                       (job ->> 'kill_grace_seconds')::double precision,
                       (job ->> 'stdout_limit_bytes')::integer, (job ->> 'stderr_limit_bytes')::integer,
                       ARRAY(SELECT c::smallint FROM jsonb_array_elements_text(job -> 'success_exit_codes') AS e (c)),
                       job ->> 'on_lost', job -> 'backoff', job -> 'retry', submit.working_directory, job -> 'env',
                       submit.stdin, hash, job -> 'limits', submit.run_as,
                       nullif(job -> 'sandbox', 'null'), nullif(job -> 'on_finish', 'null')
                RETURNING *
            ), event AS (
                INSERT INTO errand.job_events (job_id, to_state, reason, attempt, claim_token, actor)
                SELECT s.id, s.state, s.reason, s.attempt, s.claim_token, 'client ' || s.principal FROM stored s
            )
            INSERT INTO errand.queue_counts (queue, state, jobs) SELECT s.queue, s.state, 1 FROM stored s;
            PERFORM pg_notify('errand', 'ready'); -- is sent when the transaction of the caller commits
            RETURN new_id;
        END
    $$;

COMMENT ON FUNCTION errand.submit IS
    'Submits a job in the transaction of the caller, as POST /v1/jobs would; its caller is sql:SESSION_USER. Gives the id. SQLSTATE 22023: a field is not valid; ER422: the key was used with another request; ER410: the job of the key was removed; ER429: its queue is full';

-- The operator says who may submit jobs. That is to run commands on the workers.
DO $$
    DECLARE
        one regprocedure;
    BEGIN
        FOR one IN
            SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = 'errand' AND (p.proname = 'submit' OR p.proname LIKE 'submit\_%')
        LOOP
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
        END LOOP;
    END
$$;
