-- lock_progress
-- Makes the one row where it is missing, and holds it until the end of the transaction.
INSERT INTO activity_progress AS progress (id) VALUES (1)
ON CONFLICT (id) DO UPDATE SET id = progress.id
RETURNING rolled_up_to, purged_to

-- first
SELECT min(created_at) FROM activity

-- roll_up
-- Whole buckets are counted, so that counting them again changes nothing.
INSERT INTO activity_counts (organization_id, series, bucket, count)
SELECT a.organization_id, m.series, date_bin('15 minutes', a.created_at, 'epoch'),
       sum(COALESCE(CAST(a.data ->> 'count' AS bigint), 1))
  FROM activity a
  JOIN unnest(CAST(:types AS text[]), CAST(:series AS text[])) AS m(type, series) ON m.type = a.type
 WHERE a.created_at >= :since AND a.created_at < :until
 GROUP BY 1, 2, 3
ON CONFLICT (organization_id, series, bucket, source) DO UPDATE SET count = excluded.count

-- reach
UPDATE activity_progress SET rolled_up_to = greatest(rolled_up_to, :until)

-- forget
-- Searches have another source: they are counted in Redis, and cannot be counted again.
DELETE FROM activity_counts WHERE source = '' AND bucket >= :since

-- purged
UPDATE activity_progress SET purged_to = greatest(purged_to, :before)

-- drop_partitions
SELECT drop_activity_partitions(:before)

-- purge
DELETE FROM activity WHERE (id, created_at) IN (
    SELECT id, created_at FROM activity WHERE created_at < :before LIMIT 5000)

-- make_partitions
SELECT make_activity_partitions(:months)
