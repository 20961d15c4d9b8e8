-- oldest_due
-- For how long the first job and the first page have been due. A job that runs has a lease.
SELECT (SELECT extract(epoch FROM now() - min(run_after)) FROM jobs
         WHERE status IN ('queued', 'running') AND run_after <= now()
           AND (lease_until IS NULL OR lease_until < now())) AS job,
       (SELECT extract(epoch FROM now() - min(capture_due_at)) FROM bookmarks
         WHERE capture_status = 'pending' AND capture_due_at <= now() AND deleted_at IS NULL) AS capture

-- failing_mails
SELECT count(*) FROM mails WHERE status = 'queued' AND attempts > 0 AND error IS NOT NULL AND sent_at IS NULL

-- revision
SELECT version_num FROM alembic_version
