-- due
-- Organizations with changes since their last refresh.
SELECT o.id FROM organizations o
  LEFT JOIN suggestion_states s ON s.organization_id = o.id
 WHERE (SELECT true FROM bookmarks b
         WHERE b.organization_id = o.id AND b.deleted_at IS NULL
           AND b.updated_at > coalesce(s.refreshed_to, '-infinity') LIMIT 1)
 ORDER BY s.refreshed_to NULLS FIRST, o.id LIMIT :limit

-- start
-- Creates the state of a new organization.
INSERT INTO suggestion_states (organization_id, refreshed_to)
SELECT id, '1000-01-01Z' FROM organizations WHERE id = :organization_id
ON CONFLICT DO NOTHING

-- changed
-- One batch of changed bookmarks, with whether their title has to be stored.
SELECT b.id, b.title AS value, CAST(extract(epoch FROM b.created_at) * 1000000 AS bigint) AS rank, b.updated_at,
       s.value IS NULL OR s.value <> b.title OR s.rank <> extract(epoch FROM b.created_at) * 1000000 AS is_stale
  FROM (SELECT * FROM bookmarks
         WHERE organization_id = :organization_id AND deleted_at IS NULL AND (updated_at, id) > (:moment, :id)
         ORDER BY updated_at, id LIMIT :batch) AS b
  LEFT JOIN suggestions s ON s.bookmark_id = b.id
 ORDER BY b.updated_at, b.id

-- changed_tags
-- New and renamed tags of these bookmarks.
SELECT t.id, t.name AS value, coalesce(s.rank, 1) AS rank
  FROM (SELECT DISTINCT tag_id FROM bookmark_tags WHERE bookmark_id = ANY(:ids)) AS carried
  JOIN tags t ON t.id = carried.tag_id
  LEFT JOIN suggestions s ON s.tag_id = t.id
 WHERE s.value IS DISTINCT FROM t.name
 ORDER BY t.id

-- changed_domains
-- New domains of these bookmarks.
SELECT NULL AS id, domain AS value, 1 AS rank
  FROM (SELECT DISTINCT domain FROM bookmarks WHERE id = ANY(:ids)) AS saved
 WHERE domain <> ''
   AND NOT EXISTS (SELECT 1 FROM suggestions s
                    WHERE s.organization_id = :organization_id AND s.kind = 'domain' AND s.value = saved.domain)
 ORDER BY domain

-- delete_trashed
-- Trashed bookmarks are not suggested.
DELETE FROM suggestions s USING bookmarks b
 WHERE b.organization_id = :organization_id AND b.deleted_at > :moment AND s.bookmark_id = b.id

-- known_words
-- Ids of stored words.
SELECT id, word FROM suggestion_words
 WHERE organization_id = :organization_id AND kind = :kind AND word = ANY(:words)

-- add_words
-- Inserts new words.
INSERT INTO suggestion_words (organization_id, kind, word, near)
SELECT :organization_id, :kind, word, CAST(near AS bigint[])
  FROM unnest(CAST(:words AS text[]), CAST(:near AS text[])) AS given(word, near)
ON CONFLICT (organization_id, kind, word) DO NOTHING
RETURNING id, word

-- count_words
-- Adds differences to the uses of words.
UPDATE suggestion_words w SET uses = greatest(0, w.uses + given.more)
  FROM unnest(CAST(:ids AS bigint[]), CAST(:more AS bigint[])) AS given(id, more)
 WHERE w.id = given.id

-- count_tags
-- Recounts the bookmarks of tags.
UPDATE suggestions s SET rank = counted.uses
  FROM (SELECT t.id, count(b.id) AS uses
          FROM tags t
          LEFT JOIN bookmark_tags bt ON bt.tag_id = t.id
          LEFT JOIN bookmarks b ON b.id = bt.bookmark_id AND b.deleted_at IS NULL
         WHERE t.organization_id = :organization_id GROUP BY t.id) AS counted
 WHERE s.tag_id = counted.id AND s.rank <> counted.uses

-- count_domains
-- Recounts the bookmarks of domains.
UPDATE suggestions s SET rank = coalesce(counted.uses, 0)
  FROM suggestions own
  LEFT JOIN (SELECT domain, count(*) AS uses FROM bookmarks
              WHERE organization_id = :organization_id AND deleted_at IS NULL GROUP BY domain) AS counted
    ON counted.domain = own.value
 WHERE own.organization_id = :organization_id AND own.kind = 'domain'
   AND s.id = own.id AND s.rank <> coalesce(counted.uses, 0)

-- delete_unused
-- Domains without bookmarks.
DELETE FROM suggestions WHERE organization_id = :organization_id AND kind = 'domain' AND rank = 0

-- recount_words
-- Recounts all uses, and deletes unused words.
WITH counted AS (
    SELECT word_id, count(*) AS uses FROM suggestions, unnest(word_ids) AS word_id
     WHERE organization_id = :organization_id GROUP BY word_id),
unused AS (
    DELETE FROM suggestion_words w
     WHERE w.organization_id = :organization_id AND NOT EXISTS (SELECT 1 FROM counted WHERE word_id = w.id))
UPDATE suggestion_words w SET uses = counted.uses
  FROM counted WHERE w.id = counted.word_id AND w.uses <> counted.uses

-- store_title
-- Rows deleted meanwhile are not stored, and stored ones are locked until the commit.
INSERT INTO suggestions (organization_id, kind, value, rank, bookmark_id, word_ids)
SELECT :organization_id, 'title', given.value, given.rank, b.id, CAST(given.word_ids AS bigint[])
  FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS text[]),
              CAST(:ranks AS bigint[]), CAST(:word_ids AS text[]))
       AS given(id, value, rank, word_ids)
  JOIN bookmarks b ON b.id = given.id
 ORDER BY b.id FOR KEY SHARE OF b
ON CONFLICT (bookmark_id) DO UPDATE
   SET value = excluded.value, rank = excluded.rank, word_ids = excluded.word_ids

-- store_tag
-- Rows deleted meanwhile are not stored, and stored ones are locked until the commit.
INSERT INTO suggestions (organization_id, kind, value, rank, tag_id, word_ids)
SELECT :organization_id, 'tag', given.value, given.rank, t.id, CAST(given.word_ids AS bigint[])
  FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS text[]),
              CAST(:ranks AS bigint[]), CAST(:word_ids AS text[]))
       AS given(id, value, rank, word_ids)
  JOIN tags t ON t.id = given.id
 ORDER BY t.id FOR KEY SHARE OF t
ON CONFLICT (tag_id) DO UPDATE SET value = excluded.value, word_ids = excluded.word_ids

-- store_domain
-- A domain has no row of its own to lock.
INSERT INTO suggestions (organization_id, kind, value, rank, word_ids)
SELECT :organization_id, 'domain', given.value, given.rank, CAST(given.word_ids AS bigint[])
  FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS text[]),
              CAST(:ranks AS bigint[]), CAST(:word_ids AS text[]))
       AS given(id, value, rank, word_ids)
ON CONFLICT (organization_id, value) WHERE kind = 'domain' DO NOTHING
