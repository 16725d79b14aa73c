-- Limits of what the private directory of a command may hold, and the outcome of passing one.

-- The CHECK asks this function. What was sound stays so, so no row has to be looked at again.
CREATE OR REPLACE FUNCTION errand.attempt_is_sound(
    outcome text, exit_code smallint, signal text, stdout_bytes bigint, stdout_dropped_bytes bigint,
    stdout_kept integer, stdout_head_bytes integer, stderr_bytes bigint, stderr_dropped_bytes bigint,
    stderr_kept integer, stderr_head_bytes integer)
    RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
        BEGIN
            RETURN outcome IN ('success', 'exit_code', 'signal', 'timeout', 'out_of_memory', 'out_of_disk',
                               'spawn_failed', 'worker_unavailable', 'lost', 'released', 'cancelled')
                AND (exit_code IS NULL OR (signal IS NULL AND exit_code BETWEEN 0 AND 255))
                AND stdout_bytes = stdout_dropped_bytes + stdout_kept
                AND stderr_bytes = stderr_dropped_bytes + stderr_kept
                AND stdout_head_bytes BETWEEN 0 AND stdout_kept
                AND stderr_head_bytes BETWEEN 0 AND stderr_kept;
        END
    $$;

COMMENT ON COLUMN errand.attempts.outcome IS
    'success, exit_code, signal, timeout, out_of_memory, out_of_disk, spawn_failed, worker_unavailable, lost, released, cancelled';
COMMENT ON COLUMN errand.jobs.limits IS
    'memory_bytes, cpu_seconds, processes, file_size_bytes, open_files, disk_bytes, disk_files, nice';
