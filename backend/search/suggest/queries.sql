-- find_words
-- Arrays of ids are subselects, so that the planner does not see their length: it would assume the average frequency for
-- each id without statistics, and read the whole table instead of a hundred rare ids.
SELECT typed.position, typed.kind, NULL AS word, found.ids, found.uses
  FROM unnest(CAST(:positions AS int[]), CAST(:kinds AS text[]), CAST(:lows AS text[]), CAST(:highs AS text[]))
       AS typed(position, kind, low, high)
 CROSS JOIN LATERAL (
       SELECT array_agg(id) AS ids, CAST(sum(uses) AS bigint) AS uses
         FROM (SELECT id, uses FROM suggestion_words
                WHERE organization_id = :organization_id AND kind = typed.kind
                  AND word ~>=~ typed.low AND word ~<~ typed.high
                ORDER BY word = typed.low DESC, uses DESC, id LIMIT :completions) AS most_used) AS found
 WHERE found.ids IS NOT NULL
UNION ALL
SELECT typed.position, typed.kind, NULL, found.ids, found.uses
  FROM unnest(CAST(:letter_positions AS int[]), CAST(:letter_kinds AS text[]), CAST(:letters AS text[]))
       AS typed(position, kind, letter)
 CROSS JOIN LATERAL (
       SELECT array_agg(id) AS ids, CAST(sum(uses) AS bigint) AS uses
         FROM (SELECT id, uses FROM suggestion_words
                WHERE organization_id = :organization_id AND kind = typed.kind
                  AND left(word, 1) = typed.letter AND word <> typed.letter
                ORDER BY uses DESC LIMIT :letter_completions) AS most_used) AS found
 WHERE found.ids IS NOT NULL
UNION ALL
SELECT NULL, kind, word, ARRAY[id], uses
  FROM (SELECT * FROM suggestion_words WHERE near && (SELECT CAST(:near AS bigint[]))
         ORDER BY uses DESC, id LIMIT :near_words) AS near
 WHERE organization_id = :organization_id

-- by_words
-- Word ids belong to one organization and kind, so the index on words needs neither column.
(SELECT s.kind, s.value, s.rank, s.is_exact
   FROM (SELECT *, {exact} AS is_exact FROM suggestions WHERE {found}
          ORDER BY is_exact DESC, rank DESC, id DESC LIMIT :candidates) AS s
  WHERE s.organization_id = :organization_id AND {is_live})

-- in_order
-- Scans the first suggestions by rank, before the others are read.
(WITH first_{kind}s AS MATERIALIZED (
     SELECT s.kind, s.value, s.rank, true
       FROM (SELECT * FROM suggestions
              WHERE organization_id = :organization_id AND kind = '{kind}'
              ORDER BY rank DESC, id DESC LIMIT :scanned) AS s
      WHERE {exact} AND {is_live} LIMIT :candidates)
 SELECT * FROM first_{kind}s
  UNION ALL
 {others})

-- by_beginning
-- Prefixes of the whole text are found without the worker. Domains are stepped through one by one in their index, where a
-- popular one has many entries.
(SELECT 'title', title, CAST(extract(epoch FROM created_at) * 1000000 AS bigint), true FROM bookmarks
  WHERE organization_id = :organization_id AND deleted_at IS NULL
    AND title_key ~>=~ :low AND title_key ~<~ :high ORDER BY title_key USING ~<~ LIMIT :candidates)
UNION ALL
(SELECT 'tag', s.value, coalesce((SELECT rank FROM suggestions known WHERE known.tag_id = s.tag_id), 0), true
   FROM (SELECT id AS tag_id, name AS value FROM tags
          WHERE organization_id = :organization_id AND name_key ~>=~ :low AND name_key ~<~ :high
          ORDER BY name_key USING ~<~ LIMIT :candidates) AS s
  WHERE {is_live_tag})
UNION ALL
(WITH RECURSIVE steps(domain) AS (
     (SELECT domain FROM bookmarks
       WHERE organization_id = :organization_id AND deleted_at IS NULL AND domain >= :low
       ORDER BY domain LIMIT 1)
     UNION ALL
     SELECT (SELECT b.domain FROM bookmarks b
              WHERE b.organization_id = :organization_id AND b.deleted_at IS NULL AND b.domain > steps.domain
              ORDER BY b.domain LIMIT 1)
       FROM steps WHERE starts_with(steps.domain, :low))
 SELECT 'domain', s.value,
        coalesce((SELECT rank FROM suggestions known
                   WHERE known.organization_id = :organization_id AND known.kind = 'domain'
                     AND known.value = s.value), 0), true
   FROM (SELECT domain AS value FROM steps WHERE starts_with(domain, :low) LIMIT 10) AS s)
