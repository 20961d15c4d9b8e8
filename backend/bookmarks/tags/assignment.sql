-- find_or_create_and_attach
-- Existing tags are locked with the lock that a foreign key takes: none is renamed, merged or deleted before it is
-- attached, and writers of popular tags do not wait for each other. New tags are inserted in the order of their keys,
-- so that two writers of the same new tags cannot dead-lock; the update that changes nothing returns the id of a tag
-- that another transaction has created meanwhile. It must not touch the key: that would wait for all transactions that
-- lock the tag.
WITH requested AS (
    SELECT name, name_key
      FROM unnest(CAST(:names AS text[]), CAST(:keys AS text[])) AS given(name, name_key)),
existing AS (
    SELECT t.id, t.name_key FROM tags t JOIN requested USING (name_key)
     WHERE t.organization_id = :organization_id
     ORDER BY t.id FOR KEY SHARE OF t),
created AS (
    INSERT INTO tags (organization_id, name, name_key)
    SELECT :organization_id, name, name_key FROM requested
     WHERE name_key NOT IN (SELECT name_key FROM existing)
     ORDER BY name_key
    ON CONFLICT (organization_id, name_key) DO UPDATE SET name = tags.name
    RETURNING id, name_key),
known AS (SELECT id, name_key FROM existing UNION ALL SELECT id, name_key FROM created),
attached AS (
    INSERT INTO bookmark_tags (bookmark_id, tag_id, position)
    SELECT link.bookmark_id, known.id, least(32767, link.position + coalesce(
           (SELECT max(bt.position) + 1 FROM bookmark_tags bt WHERE bt.bookmark_id = link.bookmark_id), 0))
      FROM unnest(CAST(:bookmark_ids AS bigint[]), CAST(:link_keys AS text[]), CAST(:positions AS bigint[]))
           AS link(bookmark_id, name_key, position)
      JOIN known USING (name_key)
     ORDER BY link.bookmark_id, known.id, link.position
    ON CONFLICT DO NOTHING
    RETURNING bookmark_id),
-- A statement does not see its own inserts: both are counted.
overfull AS (
    SELECT new.bookmark_id FROM (SELECT bookmark_id, count(*) AS tags FROM attached GROUP BY bookmark_id) new
     WHERE new.tags + (SELECT count(*) FROM bookmark_tags bt WHERE bt.bookmark_id = new.bookmark_id) > :max_of_bookmark),
is_full AS (
    SELECT count(*) + (SELECT count(*) FROM created) > :max_of_organization AS now
      FROM (SELECT FROM tags WHERE organization_id = :organization_id AND EXISTS (SELECT FROM created)
             LIMIT :max_of_organization) t)
SELECT id, name_key, id IN (SELECT id FROM created) AS is_created, ARRAY(SELECT bookmark_id FROM overfull) AS overfull,
       (SELECT now FROM is_full) AS is_full
  FROM known
