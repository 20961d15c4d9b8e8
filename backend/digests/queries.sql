-- place
-- Where bookmarks are recommended from: the personal organization, or, where nothing is unread there, the team in which
-- something unread was saved last.
SELECT m.organization_id, m.role
  FROM memberships m
 CROSS JOIN LATERAL (
       SELECT b.created_at FROM bookmarks b
        WHERE b.organization_id = m.organization_id AND b.deleted_at IS NULL AND b.is_read IS false
        ORDER BY b.created_at DESC, b.id DESC LIMIT 1) latest
 WHERE m.user_id = :user
 ORDER BY m.organization_id <> :personal, latest.created_at DESC LIMIT 1

-- new
-- Unread, outside archive and trash, of each organization the latest `looked_at`. Favorites come first, then what shares
-- most tags with what was read lately, then the newest.
WITH new AS MATERIALIZED (
    SELECT b.*
      FROM unnest(CAST(:organizations AS bigint[])) AS o(id)
     CROSS JOIN LATERAL (
           SELECT b.id, b.organization_id, b.title, b.url, b.domain, b.word_count, b.is_favorite, b.created_at
             FROM bookmarks b
            WHERE b.organization_id = o.id AND b.deleted_at IS NULL AND b.is_read IS false AND b.is_archived IS false
              AND b.created_at > :since AND b.created_at <= now()
            ORDER BY b.created_at DESC, b.id DESC LIMIT :looked_at) b),
read AS MATERIALIZED (
    SELECT t.name_key, count(*) AS bookmarks
      FROM unnest(CAST(:organizations AS bigint[])) AS o(id)
     CROSS JOIN LATERAL (
           SELECT b.id FROM bookmarks b
            WHERE b.organization_id = o.id AND b.deleted_at IS NULL AND b.read_at IS NOT NULL
            ORDER BY b.read_at DESC LIMIT :looked_at) b
      JOIN bookmark_tags bt ON bt.bookmark_id = b.id
      JOIN tags t ON t.id = bt.tag_id
     GROUP BY t.name_key)
SELECT new.id, new.organization_id, new.title, new.url, new.domain, new.word_count, count(*) OVER () AS total
  FROM new
  LEFT JOIN LATERAL (
       SELECT sum(r.bookmarks) AS read
         FROM bookmark_tags bt JOIN tags t ON t.id = bt.tag_id JOIN read r ON r.name_key = t.name_key
        WHERE bt.bookmark_id = new.id) shared ON true
 ORDER BY new.is_favorite DESC, shared.read DESC NULLS LAST, new.created_at DESC, new.id DESC LIMIT :most

-- tasks
-- Open ones with a due date between `since` and `until`: in the personal organization all, in a team those that the
-- person made.
SELECT t.id, t.organization_id, t.title, t.due_at, count(*) OVER () AS total
  FROM unnest(CAST(:organizations AS bigint[])) AS o(id)
 CROSS JOIN LATERAL (
       SELECT t.id, t.organization_id, t.title, t.due_at
         FROM tasks t
        WHERE t.organization_id = o.id AND t.deleted_at IS NULL AND t.status <> 'done'
          AND t.due_key >= :since AND t.due_key < :until AND (o.id = :personal OR t.user_id = :user)
          AND NOT EXISTS (SELECT FROM projects p WHERE p.id = t.project_id AND p.deleted_at IS NOT NULL)
        ORDER BY t.due_key, t.id LIMIT :looked_at) t
 ORDER BY t.due_at, t.id LIMIT :most
