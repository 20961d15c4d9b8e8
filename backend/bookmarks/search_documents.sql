-- refresh
-- Writes search documents, each with the stored index of its page, and registers the languages of their stems.
WITH given AS (
    SELECT g.*, b.organization_id
      FROM unnest(CAST(:ids AS bigint[]), CAST(:documents AS text[]), CAST(:impacts AS text[]),
                  CAST(:lengths AS real[]), CAST(:averages AS real[]), CAST(:languages AS text[]),
                  CAST(:stem_languages AS text[]))
           AS g(id, document, impacts, length, average, language, stem_language)
      JOIN bookmarks b ON b.id = g.id),
spoken AS (
    INSERT INTO search_languages (organization_id, language)
    SELECT DISTINCT g.organization_id, s.language
      FROM given g CROSS JOIN LATERAL (VALUES (g.stem_language), (CAST(:page_language AS text))) AS s(language)
     WHERE s.language IS NOT NULL
     ORDER BY g.organization_id, s.language
    ON CONFLICT DO NOTHING)
INSERT INTO bookmark_documents
       (bookmark_id, organization_id, document, impacts, page_impacts, length, average, language, written_at)
SELECT g.id, g.organization_id, CAST(g.document AS tsvector) || coalesce(c.vector, ''::tsvector),
       CAST(g.impacts AS sparsevec), c.impacts, g.length, g.average, g.language, clock_timestamp()
  FROM given g LEFT JOIN bookmark_contents c ON c.bookmark_id = g.id
 ORDER BY g.id
ON CONFLICT (bookmark_id) DO UPDATE
   SET document = excluded.document, impacts = excluded.impacts, page_impacts = excluded.page_impacts,
       length = excluded.length, average = excluded.average, language = excluded.language,
       written_at = excluded.written_at

-- pages
-- Locks the stored pages, so that no capture replaces a text while it is indexed.
SELECT c.bookmark_id, c.text, coalesce(b.language, '') AS language, s.page_average
  FROM bookmark_contents c JOIN bookmarks b ON b.id = c.bookmark_id
  LEFT JOIN search_statistics s ON s.organization_id = b.organization_id
 WHERE c.bookmark_id = ANY(:ids) ORDER BY c.bookmark_id FOR UPDATE OF c

-- store_page
-- Stores the index of a page and registers the language of its stems.
WITH spoken AS (
    INSERT INTO search_languages (organization_id, language)
    SELECT organization_id, CAST(:language AS text) FROM bookmarks
     WHERE id = :bookmark_id AND CAST(:language AS text) IS NOT NULL
    ON CONFLICT DO NOTHING)
UPDATE bookmark_contents
   SET vector = CAST(:vector AS tsvector), impacts = CAST(:impacts AS sparsevec),
       length = :length, average = :average
 WHERE bookmark_id = :bookmark_id
