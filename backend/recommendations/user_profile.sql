-- profile
-- One row, so that it takes one round trip. Items and work are JSON; their vectors are arrays in the same order, since
-- JSON could hold them only as text, which takes longer to decode.
WITH said AS MATERIALIZED (
    SELECT f.bookmark_id, f.kind, f.updated_at FROM feedback f
     WHERE f.user_id = :user AND f.organization_id = :organization AND f.subject = :subject
     ORDER BY f.updated_at DESC LIMIT 80),
latest AS MATERIALIZED (
    SELECT f.user_id = :user AS own, f.kind, f.shares, f.bookmark_id FROM feedback f
     WHERE f.organization_id = :organization ORDER BY f.updated_at DESC, f.id DESC LIMIT 300),
items(kind, id, at) AS (
    SELECT 'itself', CAST(:bookmark AS bigint), now() WHERE CAST(:bookmark AS bigint) IS NOT NULL
    UNION ALL
    (SELECT 'attached', pb.bookmark_id, pb.attached_at FROM project_bookmarks pb
      WHERE pb.project_id = :project ORDER BY pb.attached_at DESC LIMIT 30)
    UNION ALL
    SELECT kind, bookmark_id, updated_at FROM said
    UNION ALL
    (SELECT 'attached', pb.bookmark_id, pb.attached_at
       FROM (SELECT p.id FROM projects p
              WHERE :is_person AND p.organization_id = :organization AND p.deleted_at IS NULL
                AND p.status = 'active' AND p.user_id = :user ORDER BY p.updated_at DESC LIMIT 5) p
      CROSS JOIN LATERAL (SELECT * FROM project_bookmarks pb
                           WHERE pb.project_id = p.id ORDER BY pb.attached_at DESC LIMIT 10) pb
      ORDER BY pb.attached_at DESC LIMIT 20)
    UNION ALL
    (SELECT 'liked', b.id, b.updated_at
       FROM (SELECT b.id, b.updated_at, b.is_read OR b.is_favorite AS liked FROM bookmarks b
              WHERE :is_person AND b.organization_id = :organization AND b.deleted_at IS NULL
              ORDER BY b.updated_at DESC, b.id DESC LIMIT 200) b
      WHERE b.liked ORDER BY b.updated_at DESC LIMIT 20)),
open_tasks AS (
    SELECT t.* FROM (
           (SELECT t.* FROM tasks t WHERE t.project_id = :project AND t.organization_id = :organization
               AND t.deleted_at IS NULL ORDER BY t.position, t.id LIMIT 300)
           UNION ALL
           (SELECT t.* FROM tasks t WHERE CAST(:project AS bigint) IS NULL AND t.organization_id = :organization
               AND t.deleted_at IS NULL AND t.user_id = :user ORDER BY t.updated_at DESC, t.id DESC LIMIT 300)) t
     WHERE t.status <> 'done'
     ORDER BY t.status = 'in_progress' DESC, t.due_key, t.priority_rank DESC, t.updated_at DESC LIMIT 6),
open_projects AS (
    SELECT p.* FROM projects p
     WHERE :is_person AND p.organization_id = :organization AND p.deleted_at IS NULL AND p.status = 'active'
       AND p.user_id = :user ORDER BY p.updated_at DESC LIMIT 3)
SELECT (SELECT array_agg(l.language ORDER BY l.language) FROM search_languages l
         WHERE l.organization_id = :organization) AS languages,
       EXISTS (SELECT 1 FROM search_statistics s
                WHERE s.organization_id = :organization AND s.terms > 0) AS counted,
       (SELECT json_agg(json_build_array(own, kind, engine, share)) FROM (
               SELECT l.own, l.kind, s.key AS engine, sum(CAST(s.value AS float8)) AS share
                 FROM latest l CROSS JOIN LATERAL jsonb_each_text(l.shares) s GROUP BY 1, 2, 3) e) AS engines,
       (SELECT json_agg(json_build_array(own, kind, tag_id, number)) FROM (
               SELECT l.own, l.kind, bt.tag_id, count(*) AS number
                 FROM latest l JOIN bookmark_tags bt ON bt.bookmark_id = l.bookmark_id
                GROUP BY 1, 2, 3) t) AS tags,
       profile.items, profile.item_impacts, profile.item_vectors, active.work, active.work_vectors
  FROM (SELECT json_agg(json_build_object('kind', i.kind, 'id', i.id, 'title', i.title, 'tags', i.tags,
                                          'lexemes', i.lexemes)) AS items,
               array_agg(i.impacts) AS item_impacts, array_agg(i.vector) AS item_vectors
          FROM (SELECT t.kind, t.id, b.title,
                       ARRAY(SELECT g.name FROM bookmark_tags bt JOIN tags g ON g.id = bt.tag_id
                              WHERE bt.bookmark_id = t.id ORDER BY bt.position) AS tags,
                       tsvector_to_array(ts_filter(d.document, '{a,b}')) AS lexemes,
                       sparsevec_send(d.impacts) AS impacts, halfvec_send(e.embedding) AS vector
                  FROM items t
                  JOIN bookmarks b ON b.id = t.id AND b.deleted_at IS NULL
                  JOIN bookmark_documents d ON d.bookmark_id = t.id
                  LEFT JOIN bookmark_embeddings e ON e.bookmark_id = t.id AND e.model = :model
                 ORDER BY t.at DESC) i) profile
 CROSS JOIN (
        SELECT json_agg(json_build_object('noun', w.noun, 'id', w.id, 'title', w.title, 'body', w.body,
                                          'status', w.status, 'priority', w.priority, 'due_at', w.due_at)) AS work,
               array_agg(w.vector) AS work_vectors
          FROM (SELECT 'task' AS noun, t.id, t.title, left(t.description, 500) AS body, t.status, t.priority,
                       t.due_at, halfvec_send(e.embedding) AS vector
                  FROM open_tasks t
                  LEFT JOIN subject_embeddings e ON e.task_id = t.id AND e.model = :model
                 UNION ALL
                SELECT 'project', p.id, p.name, concat_ws(E'\n', left(p.description, 500),
                       array_to_string(p.technologies, ', ')), 'in_progress', 'normal', NULL,
                       halfvec_send(e.embedding)
                  FROM open_projects p
                  LEFT JOIN subject_embeddings e ON e.project_id = p.id AND e.model = :model) w) active
