-- write
-- Counts only grow. An organization may be gone by now.
INSERT INTO activity_counts (organization_id, series, bucket, source, count)
SELECT o.id, 'searches', given.bucket, :source, given.count
  FROM organizations o
  CROSS JOIN unnest(CAST(:buckets AS timestamptz[]), CAST(:counts AS bigint[])) AS given(bucket, count)
 WHERE o.id = :organization_id
ON CONFLICT (organization_id, series, bucket, source)
DO UPDATE SET count = greatest(activity_counts.count, excluded.count)
