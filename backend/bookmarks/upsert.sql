-- merge
-- Merges the values of a request into existing bookmarks, which are locked: fills empty fields, sets flags, and restarts
-- failed captures. A field that a person has emptied is filled by persons only, not by an import.
WITH given AS (
    SELECT *
      FROM unnest(CAST(:ids AS bigint[]), CAST(:titles AS text[]), CAST(:title_keys AS text[]),
                  CAST(:descriptions AS text[]), CAST(:notes AS text[]), CAST(:read AS boolean[]),
                  CAST(:favorites AS boolean[]), CAST(:archived AS boolean[]), CAST(:captures AS boolean[]),
                  CAST(:asks AS boolean[]))
           AS g(id, title, title_key, description, notes, is_read, is_favorite, is_archived, captures, asks)),
decided AS (
    SELECT g.*,
           b.title = '' AND g.title <> '' AND (b.title_from <> 'person' OR :source = 'person') AS fills_title,
           b.description = '' AND g.description <> ''
               AND (b.description_from <> 'person' OR :source = 'person') AS fills_description,
           b.notes = '' AND g.notes <> '' AS fills_notes,
           b.capture_status = 'failed' AND g.captures
               OR b.capture_status = 'skipped' AND b.capture_error = :not_asked AND g.asks AS is_captured
      FROM given g JOIN bookmarks b ON b.id = g.id)
UPDATE bookmarks b
   SET title = CASE WHEN d.fills_title THEN d.title ELSE b.title END,
       title_key = CASE WHEN d.fills_title THEN d.title_key ELSE b.title_key END,
       title_from = CASE WHEN d.fills_title THEN :source ELSE b.title_from END,
       description = CASE WHEN d.fills_description THEN d.description ELSE b.description END,
       description_from = CASE WHEN d.fills_description THEN :source ELSE b.description_from END,
       notes = CASE WHEN d.fills_notes THEN d.notes ELSE b.notes END,
       is_read = b.is_read OR d.is_read,
       is_favorite = b.is_favorite OR d.is_favorite,
       is_archived = b.is_archived OR d.is_archived,
       capture_status = CASE WHEN d.is_captured THEN 'pending' ELSE b.capture_status END,
       capture_error = CASE WHEN d.is_captured THEN NULL ELSE b.capture_error END,
       capture_attempts = CASE WHEN d.is_captured THEN 0 ELSE b.capture_attempts END,
       capture_due_at = CASE WHEN d.is_captured THEN now() ELSE b.capture_due_at END,
       capture_priority = CASE WHEN d.is_captured THEN :priority ELSE b.capture_priority END,
       capture_host = CASE WHEN d.is_captured THEN NULL ELSE b.capture_host END,
       updated_at = now(),
       embedding_due_at = CASE WHEN d.fills_title OR d.fills_description OR d.fills_notes
                               THEN now() ELSE b.embedding_due_at END
  FROM decided d
 WHERE b.id = d.id
RETURNING b.id, d.is_captured, d.fills_title OR d.fills_description OR d.fills_notes AS is_embedded
