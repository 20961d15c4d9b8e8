-- backlog
-- Totals come from maintained counts, claims from a partial index of few rows, and of due bookmarks only the first entry
-- of an index is read: the cost does not grow with the backlog.
WITH counted AS (
    SELECT capture_status, sum(bookmarks) AS number FROM bookmark_counts
     WHERE organization_id = :organization_id AND NOT is_deleted GROUP BY capture_status),
status AS (SELECT * FROM unnest(ARRAY['pending', 'captured', 'failed', 'skipped']) AS s(name))
SELECT jsonb_object_agg(s.name, CAST(coalesce(c.number, 0) AS bigint)) AS numbers,
       (SELECT count(*) FROM bookmarks
         WHERE capture_claimed_at IS NOT NULL AND capture_status = 'pending' AND capture_due_at > now()
           AND organization_id = :organization_id AND deleted_at IS NULL) AS in_progress,
       (SELECT capture_due_at FROM bookmarks
         WHERE organization_id = :organization_id AND capture_status = 'pending' AND deleted_at IS NULL
         ORDER BY capture_due_at LIMIT 1) AS oldest_due_at
  FROM status s LEFT JOIN counted c ON c.capture_status = s.name
