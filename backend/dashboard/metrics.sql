-- metrics
-- One statement, so that all numbers are of one moment. Without an organization they are of the whole server; psycopg
-- writes the id into the text, so that the planner sees which of the two it is.
WITH moments AS (
    SELECT zone, now() AS computed_at,
           CAST(day AS timestamp) AT TIME ZONE zone AS today,
           CAST(day - 6 AS timestamp) AT TIME ZONE zone AS week,
           CAST(day - 29 AS timestamp) AT TIME ZONE zone AS period
      FROM (SELECT zone, CAST(now() AT TIME ZONE zone AS date) AS day
              FROM (SELECT COALESCE(CAST(:time_zone AS text),
                                   (SELECT u.time_zone FROM users u WHERE u.id = :user_id), 'UTC') AS zone) AS named) AS days),
people AS (
    SELECT role, created_at FROM memberships
     WHERE :organization_id IS NOT NULL AND organization_id = :organization_id
    UNION ALL
    SELECT role, created_at FROM users WHERE :organization_id IS NULL AND deleted_at IS NULL),
happened AS MATERIALIZED (
    SELECT a.user_id, a.created_at, a.type, a.object_id, a.data
      FROM moments m JOIN activity a ON a.created_at >= m.period
     WHERE :organization_id IS NULL OR a.organization_id = :organization_id),
-- The newest departure of each person who had belonged here when the period began, and does no longer.
departed AS (
    SELECT DISTINCT object_id FROM happened h, moments m
     WHERE type = :left AND :organization_id IS NOT NULL AND CAST(data ->> 'member_since' AS timestamptz) < m.period),
idle AS (
    SELECT created_at - lag(created_at) OVER (PARTITION BY user_id ORDER BY created_at) AS gap
      FROM happened WHERE user_id IS NOT NULL),
used AS (
    SELECT count(*) FILTER (WHERE gap IS NULL OR gap > :idle) AS sessions,
           COALESCE(sum(gap) FILTER (WHERE gap <= :idle), interval '0') AS duration
      FROM idle),
-- A Redis counts upwards: of what it said at different times the most is true.
searched AS (
    SELECT sum(count) AS searches
      FROM (SELECT max(count) AS count
              FROM (SELECT c.organization_id, c.bucket, c.source, c.count
                      FROM moments m JOIN activity_counts c ON c.bucket >= m.period
                     WHERE c.series = 'searches'
                       AND (:organization_id IS NULL OR c.organization_id = :organization_id)
                    UNION ALL
                    SELECT CAST(:organization_id AS bigint), l.bucket, :source, l.count
                      FROM moments m
                      JOIN unnest(CAST(:buckets AS timestamptz[]), CAST(:counts AS bigint[])) AS l(bucket, count)
                        ON l.bucket >= m.period) AS told
             GROUP BY organization_id, bucket, source) AS counted),
saved AS (
    SELECT capture_status AS status, is_deleted, is_read, is_favorite, is_archived, sum(bookmarks) AS number
      FROM bookmark_counts
     WHERE :organization_id IS NULL OR organization_id = :organization_id
     GROUP BY 1, 2, 3, 4, 5),
planned AS (
    SELECT status, count(*) AS number FROM projects
     WHERE deleted_at IS NULL AND (:organization_id IS NULL OR organization_id = :organization_id)
     GROUP BY 1),
-- Tasks of a project in the trash are out of sight with it.
begun AS (
    SELECT status, count(*) AS number FROM tasks
     WHERE deleted_at IS NULL AND (:organization_id IS NULL OR organization_id = :organization_id)
       AND (project_id IS NULL OR project_id NOT IN (SELECT id FROM projects WHERE deleted_at IS NOT NULL))
     GROUP BY 1)
SELECT m.zone, m.computed_at, m.period,
       (SELECT count(*) FROM people) AS people,
       (SELECT count(*) FROM people WHERE created_at < m.period) + (SELECT count(*) FROM departed) AS people_before,
       (SELECT json_object_agg(role, number) FROM (SELECT role, count(*) AS number FROM people GROUP BY 1) AS r)
           AS by_role,
       (SELECT count(DISTINCT user_id) FROM happened WHERE created_at >= m.today) AS active_today,
       (SELECT count(DISTINCT user_id) FROM happened WHERE created_at >= m.week) AS active_week,
       (SELECT json_object_agg(status, number) FROM (
            SELECT status, sum(number) AS number FROM saved WHERE NOT is_deleted GROUP BY 1) AS s) AS bookmarks,
       (SELECT sum(number) FROM saved WHERE NOT is_deleted AND NOT is_read) AS unread,
       (SELECT sum(number) FROM saved WHERE NOT is_deleted AND is_favorite) AS favorite,
       (SELECT sum(number) FROM saved WHERE NOT is_deleted AND is_archived) AS archived,
       (SELECT sum(number) FROM saved WHERE is_deleted) AS trashed,
       (SELECT json_object_agg(status, number) FROM planned) AS projects,
       (SELECT json_object_agg(status, number) FROM begun) AS tasks,
       u.sessions, extract(epoch FROM u.duration) AS duration,
       (SELECT searches FROM searched) AS searches,
       (SELECT count(*) FROM happened WHERE type = :opened) AS opened,
       (SELECT count(*) FROM bookmarks
         WHERE capture_status = 'pending' AND capture_due_at <= now() AND deleted_at IS NULL) AS due_captures
  FROM moments m, used u
