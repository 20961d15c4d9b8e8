-- lacks_vectors
-- Counts of waiting bookmarks and of vectors stop at bounds. OFFSET 0 keeps PostgreSQL from counting twice.
SELECT CASE WHEN waiting <= :few THEN false
            ELSE waiting > greatest(:few, least(:many, (
                 SELECT count(*) / :share FROM (
                        SELECT 1 FROM bookmark_embeddings
                         WHERE organization_id = :organization AND model = :model LIMIT :many * :share) vectors)))
       END
  FROM (SELECT greatest(
          (SELECT count(*) FROM (
                  SELECT id FROM bookmarks
                   WHERE organization_id = :organization AND embedding_due_at IS NOT NULL LIMIT 2 * :many) due
            WHERE NOT EXISTS (SELECT 1 FROM bookmark_embeddings e
                               WHERE e.bookmark_id = due.id AND e.model = :model AND e.dimension = :dimension)),
          (SELECT count(*) FROM (
                  (SELECT bookmark_id FROM bookmark_embeddings
                    WHERE organization_id = :organization AND model < :model LIMIT 2 * :many)
                  UNION ALL
                  (SELECT bookmark_id FROM bookmark_embeddings
                    WHERE organization_id = :organization AND model > :model LIMIT 2 * :many)) other
            WHERE NOT EXISTS (SELECT 1 FROM bookmark_embeddings e
                               WHERE e.bookmark_id = other.bookmark_id AND e.model = :model
                                 AND e.dimension = :dimension))) AS waiting OFFSET 0) counts
