-- statistics
-- A count of a quarter of an hour lies within one day of every time zone, so that its time in the zone, cut to the
-- interval, names its point. Since the last roll-up events are counted one by one. date_trunc begins weeks on Monday:
-- times are moved by the days that a week begins before it, cut, and moved back.
WITH points AS (
    SELECT CAST(point AS date) AS day,
           point AT TIME ZONE :time_zone AS starts,
           (point + CAST(:step AS interval)) AT TIME ZONE :time_zone AS ends
      FROM CAST(:before_monday AS interval) AS shift,
           generate_series(date_trunc(:interval, CAST(:first AS timestamp) + shift) - shift,
                           date_trunc(:interval, CAST(:last AS timestamp) + shift) - shift,
                           CAST(:step AS interval)) AS point),
span AS (
    SELECT min(starts) AS starts, max(ends) AS ends,
           COALESCE((SELECT rolled_up_to FROM activity_progress), '-infinity') AS rolled_up_to
      FROM points),
told AS (
    SELECT c.series, c.bucket, c.source, c.count
      FROM span s
      JOIN activity_counts c ON c.bucket >= s.starts AND c.bucket < s.ends
     WHERE c.organization_id = :organization_id AND (c.source <> '' OR c.bucket < s.rolled_up_to)
    UNION ALL
    SELECT 'searches', l.bucket, :source, l.count
      FROM span s
      JOIN unnest(CAST(:buckets AS timestamptz[]), CAST(:counts AS bigint[])) AS l(bucket, count)
        ON l.bucket >= s.starts AND l.bucket < s.ends),
counted AS (
    -- A Redis counts upwards: of what it said at different times the most is true.
    SELECT series, bucket, max(count) AS count FROM told GROUP BY series, bucket, source
    UNION ALL
    SELECT m.series, a.created_at, COALESCE(CAST(a.data ->> 'count' AS bigint), 1)
      FROM span s
      JOIN activity a ON a.created_at >= s.rolled_up_to AND a.created_at >= s.starts AND a.created_at < s.ends
      JOIN unnest(CAST(:types AS text[]), CAST(:series AS text[])) AS m(type, series) ON m.type = a.type
     WHERE a.organization_id = :organization_id),
summed AS (
    SELECT CAST(date_trunc(:interval, bucket AT TIME ZONE :time_zone + shift) - shift AS date) AS day, series,
           sum(count) AS count
      FROM counted, CAST(:before_monday AS interval) AS shift GROUP BY 1, 2)
SELECT p.day, CAST(p.day + CAST(:step AS interval) AS date) - 1 AS last_day,
       COALESCE(sum(c.count) FILTER (WHERE c.series = 'users'), 0) AS users,
       COALESCE(sum(c.count) FILTER (WHERE c.series = 'bookmarks'), 0) AS bookmarks,
       COALESCE(sum(c.count) FILTER (WHERE c.series = 'captures'), 0) AS captures,
       COALESCE(sum(c.count) FILTER (WHERE c.series = 'searches'), 0) AS searches,
       COALESCE(sum(c.count) FILTER (WHERE c.series = 'tasks_completed'), 0) AS tasks_completed,
       COALESCE(sum(c.count) FILTER (WHERE c.series = 'recommendations_opened'), 0) AS recommendations_opened,
       now() AS computed_at,
       (SELECT least((SELECT min(bucket) FROM activity_counts WHERE organization_id = :organization_id),
                     (SELECT min(created_at) FROM activity WHERE organization_id = :organization_id)))
           AS recorded_since
  FROM points p
  LEFT JOIN summed c USING (day)
 GROUP BY p.day
 ORDER BY p.day
