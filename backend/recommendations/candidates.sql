-- co_occurrence
-- Item-based collaborative filtering: Sarwar et al. 2001, doi:10.1145/371920.372071. Baskets are projects, and one
-- person's positive feedback for one subject. A basket votes for its bookmarks by the cosine of its bookmarks and the
-- profile's items, and a project also by the similarity of its text. Bookmarks with fewer than two shared items or
-- baskets behind them are left out, since such data is too sparse.
SELECT i.id, sum(i.weight) AS score, count(DISTINCT i.person) AS people, count(DISTINCT i.basket) AS baskets,
       count(DISTINCT i.basket) FILTER (WHERE i.is_project) AS projects
  FROM (
       SELECT pb.bookmark_id AS id, pb.attached_by AS person, 'p' || b.id AS basket, true AS is_project,
              b.shared / sqrt(b.size * :size) + greatest(0, b.likeness - :likeness) AS weight,
              b.shared + CAST(b.likeness > :likeness AS int) AS grounds
         FROM (
              SELECT p.id, greatest(max(n.shared), 0) AS shared, greatest(max(n.likeness), 0) AS likeness,
                     (SELECT count(*) FROM project_bookmarks s WHERE s.project_id = p.id) AS size
                FROM (
                     (SELECT pb.project_id, count(*) AS shared, CAST(0 AS float8) AS likeness
                        FROM project_bookmarks pb
                       WHERE pb.bookmark_id = ANY(CAST(:items AS bigint[]))
                         AND pb.project_id IS DISTINCT FROM CAST(:project AS bigint)
                       GROUP BY pb.project_id ORDER BY 2 DESC, 1 DESC LIMIT 30)
                     UNION ALL
                     (SELECT e.project_id, 0, 1 - (e.embedding <=> CAST(:vector AS halfvec)) AS likeness
                        FROM (SELECT e.project_id, e.embedding FROM subject_embeddings e
                               WHERE e.organization_id = :organization AND e.project_id IS NOT NULL
                                 AND e.model = :model AND CAST(:vector AS text) IS NOT NULL
                                 AND e.project_id IS DISTINCT FROM CAST(:project AS bigint)
                               ORDER BY e.organization_id LIMIT 2000) e
                       ORDER BY 3 DESC LIMIT 10)) n
                JOIN projects p ON p.id = n.project_id
               WHERE p.organization_id = :organization AND p.deleted_at IS NULL
                 AND (n.shared > 0 OR n.likeness > :likeness)
               GROUP BY p.id) b
        CROSS JOIN LATERAL (SELECT pb.bookmark_id, pb.attached_by FROM project_bookmarks pb
                             WHERE pb.project_id = b.id ORDER BY pb.attached_at DESC LIMIT 100) pb
       UNION ALL
       SELECT f.bookmark_id, f.user_id, 'f' || s.user_id || s.subject, false,
              :of_said * s.shared / sqrt(s.size * :size), s.shared
         FROM (SELECT f.user_id, f.subject, count(*) AS shared,
                      (SELECT count(*) FROM feedback g
                        WHERE g.user_id = f.user_id AND g.organization_id = :organization
                          AND g.subject = f.subject) AS size
                 FROM feedback f
                WHERE f.bookmark_id = ANY(CAST(:items AS bigint[])) AND f.organization_id = :organization
                  AND f.kind IN ('relevant', 'saved', 'opened')
                  AND (f.user_id, f.subject) <> (:user, :subject)
                GROUP BY f.user_id, f.subject ORDER BY 3 DESC LIMIT 30) s
        CROSS JOIN LATERAL (SELECT f.bookmark_id, f.user_id FROM feedback f
                             WHERE f.user_id = s.user_id AND f.organization_id = :organization
                               AND f.subject = s.subject AND f.kind IN ('relevant', 'saved', 'opened')
                             LIMIT 100) f) i
 WHERE i.id <> ALL(CAST(:items AS bigint[]))
 GROUP BY i.id HAVING sum(i.grounds) >= 2
 ORDER BY 2 DESC, 1 DESC LIMIT :most
