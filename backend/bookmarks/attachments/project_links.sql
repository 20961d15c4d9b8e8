-- attach
-- Projects are locked with the lock that a foreign key takes, so that none is deleted before the link refers to it.
WITH known AS (
    SELECT id FROM projects
     WHERE organization_id = :organization_id AND deleted_at IS NULL AND id = ANY(CAST(:requested AS bigint[]))
     ORDER BY id FOR KEY SHARE),
attached AS (
    INSERT INTO project_bookmarks (project_id, bookmark_id, organization_id, attached_by)
    SELECT known.id, link.bookmark_id, :organization_id, :user_id
      FROM unnest(CAST(:bookmark_ids AS bigint[]), CAST(:project_ids AS bigint[]))
           AS link(bookmark_id, project_id)
      JOIN known ON known.id = link.project_id
     ORDER BY link.bookmark_id, known.id
    ON CONFLICT DO NOTHING)
SELECT id FROM known
