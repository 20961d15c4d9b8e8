-- engine_data
-- Flags for the availability of engines; each looks at a bounded number of rows. Co-occurrence needs two baskets with a
-- common bookmark.
SELECT EXISTS (SELECT 1 FROM bookmarks b WHERE b.organization_id = :organization AND b.deleted_at IS NULL)
           AS has_bookmarks,
       EXISTS (SELECT 1 FROM bookmark_embeddings e WHERE e.organization_id = :organization AND e.model = :model)
           AS has_vectors,
       EXISTS (SELECT 1 FROM tasks t WHERE t.organization_id = :organization AND t.deleted_at IS NULL
                  AND t.status <> 'done')
           OR EXISTS (SELECT 1 FROM project_bookmarks pb WHERE pb.organization_id = :organization) AS has_work,
       EXISTS (SELECT 1 FROM (SELECT pb.bookmark_id FROM project_bookmarks pb
                               WHERE pb.organization_id = :organization
                               ORDER BY pb.organization_id LIMIT 5000) pb
                GROUP BY pb.bookmark_id HAVING count(*) > 1)
           OR (SELECT count(DISTINCT (f.user_id, f.subject)) > 1
                 FROM (SELECT f.user_id, f.subject FROM feedback f
                        WHERE f.organization_id = :organization AND f.kind IN ('relevant', 'saved', 'opened')
                        ORDER BY f.updated_at DESC LIMIT 5000) f) AS is_shared,
       EXISTS (SELECT 1 FROM (SELECT b.is_read, b.updated_at FROM bookmarks b
                               WHERE b.organization_id = :organization AND b.deleted_at IS NULL
                               ORDER BY b.created_at LIMIT 5000) b
                WHERE NOT b.is_read OR b.updated_at < now() - interval '60 days') AS has_forgotten
