-- person
-- How the person's days and weeks begin, and whether all rows of the organization are theirs.
SELECT u.time_zone, u.week_start, o.personal
  FROM users u CROSS JOIN organizations o WHERE u.id = :user AND o.id = :organization

-- reading_pace
-- Twelve weeks, the present one last. `first_day` is the Monday, Sunday or Saturday on which it began, in the person's
-- time zone: with a change of the clocks in it a week has an hour more or less.
WITH present AS (SELECT CAST(now() AT TIME ZONE :zone AS date) AS today),
weeks AS (
    SELECT today - CAST((extract(isodow FROM today) + :days_before) AS integer) % 7 - 7 * n AS first_day
      FROM present CROSS JOIN generate_series(0, 11) n)
SELECT w.first_day, (
           SELECT count(*) FROM bookmarks b
            WHERE b.organization_id = :organization AND b.deleted_at IS NULL AND (:everything OR b.user_id = :user)
              AND b.read_at >= CAST(w.first_day AS timestamp) AT TIME ZONE :zone
              AND b.read_at < CAST(w.first_day + 7 AS timestamp) AT TIME ZONE :zone) AS read
  FROM weeks w ORDER BY w.first_day

-- backlog
-- Unread bookmarks outside archive and trash, by the number of days since they were saved.
SELECT count(*) AS total, min(b.created_at) AS oldest_created_at,
       count(*) FILTER (WHERE b.created_at >= now() - interval '7 days') AS days_7,
       count(*) FILTER (WHERE b.created_at < now() - interval '7 days'
                          AND b.created_at >= now() - interval '30 days') AS days_30,
       count(*) FILTER (WHERE b.created_at < now() - interval '30 days'
                          AND b.created_at >= now() - interval '90 days') AS days_90,
       count(*) FILTER (WHERE b.created_at < now() - interval '90 days'
                          AND b.created_at >= now() - interval '365 days') AS days_365,
       count(*) FILTER (WHERE b.created_at < now() - interval '365 days') AS older
  FROM bookmarks b
 WHERE b.organization_id = :organization AND b.deleted_at IS NULL AND b.is_read IS false AND b.is_archived IS false
   AND (:everything OR b.user_id = :user)

-- top_tags
SELECT t.name, count(*) FILTER (WHERE b.created_at >= now() - interval '30 days') AS saved,
       count(*) FILTER (WHERE b.created_at < now() - interval '30 days') AS saved_before
  FROM bookmarks b JOIN bookmark_tags bt ON bt.bookmark_id = b.id JOIN tags t ON t.id = bt.tag_id
 WHERE b.organization_id = :organization AND b.deleted_at IS NULL AND (:everything OR b.user_id = :user)
   AND b.created_at >= now() - interval '60 days' AND b.created_at <= now()
 GROUP BY t.id ORDER BY saved DESC, saved_before DESC, t.name_key LIMIT 10

-- top_domains
SELECT b.domain AS name, count(*) FILTER (WHERE b.created_at >= now() - interval '30 days') AS saved,
       count(*) FILTER (WHERE b.created_at < now() - interval '30 days') AS saved_before
  FROM bookmarks b
 WHERE b.organization_id = :organization AND b.deleted_at IS NULL AND (:everything OR b.user_id = :user)
   AND b.created_at >= now() - interval '60 days' AND b.created_at <= now()
 GROUP BY b.domain ORDER BY saved DESC, saved_before DESC, b.domain LIMIT 10

-- tag_pairs
-- Of the latest 10,000 bookmarks and the 30 most frequent tags on them: a bookmark has at most 435 pairs.
WITH latest AS MATERIALIZED (
    SELECT b.id FROM bookmarks b
     WHERE b.organization_id = :organization AND b.deleted_at IS NULL AND (:everything OR b.user_id = :user)
     ORDER BY b.created_at DESC, b.id DESC LIMIT 10000),
tagged AS MATERIALIZED (SELECT bt.bookmark_id, bt.tag_id FROM latest JOIN bookmark_tags bt ON bt.bookmark_id = latest.id),
frequent AS (SELECT tag_id FROM tagged GROUP BY tag_id ORDER BY count(*) DESC, tag_id LIMIT 30),
chosen AS MATERIALIZED (SELECT tagged.* FROM tagged JOIN frequent USING (tag_id)),
pairs AS (
    SELECT a.tag_id AS first_id, b.tag_id AS second_id, count(*) AS bookmarks
      FROM chosen a JOIN chosen b ON b.bookmark_id = a.bookmark_id AND b.tag_id > a.tag_id
     GROUP BY a.tag_id, b.tag_id HAVING count(*) > 1 ORDER BY count(*) DESC, a.tag_id, b.tag_id LIMIT 10)
SELECT f.name AS first, s.name AS second, p.bookmarks
  FROM pairs p JOIN tags f ON f.id = p.first_id JOIN tags s ON s.id = p.second_id
 ORDER BY p.bookmarks DESC, f.name_key, s.name_key

-- forgotten_projects
-- Active projects in which nothing has changed for 30 days: neither itself, nor a task, nor what is attached to it.
SELECT p.id, p.name, changes.last_changed_at, changes.open_tasks
  FROM (SELECT id, name, updated_at FROM projects
         WHERE organization_id = :organization AND deleted_at IS NULL AND status = 'active'
           AND (:everything OR user_id = :user) AND updated_at < now() - interval '30 days'
         ORDER BY updated_at LIMIT 100) p
 CROSS JOIN LATERAL (
       SELECT greatest(p.updated_at, max(t.updated_at),
                       (SELECT max(attached_at) FROM project_bookmarks WHERE project_id = p.id)) AS last_changed_at,
              count(*) FILTER (WHERE t.status <> 'done') AS open_tasks
         FROM tasks t WHERE t.project_id = p.id AND t.deleted_at IS NULL) changes
 WHERE changes.last_changed_at < now() - interval '30 days'
 ORDER BY changes.last_changed_at, p.id LIMIT 10
