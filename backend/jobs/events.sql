-- watched
-- The jobs that are watched, each with a version that every change of its row raises. A watch is missing where its
-- credential no longer reaches the job: rights are read again each time. In SQL, since accounts are a feature above.
SELECT w.position, j.xmin::text AS version
  FROM unnest(CAST(:job_ids AS uuid[]), CAST(:organization_ids AS bigint[]), CAST(:user_ids AS bigint[]),
              CAST(:session_ids AS uuid[]), CAST(:token_ids AS bigint[])) WITH ORDINALITY
       AS w(job_id, organization_id, user_id, session_id, token_id, position)
  JOIN jobs j ON j.id = w.job_id AND j.organization_id = w.organization_id
  JOIN users u ON u.id = w.user_id AND u.disabled_at IS NULL AND u.deleted_at IS NULL
  JOIN memberships m ON m.user_id = u.id AND m.organization_id = w.organization_id
 WHERE EXISTS (SELECT FROM sessions s
                WHERE s.id = w.session_id AND s.user_id = u.id AND s.revoked_at IS NULL AND s.expires_at > now())
    OR EXISTS (SELECT FROM api_tokens t
                WHERE t.id = w.token_id AND t.user_id = u.id AND t.organization_id = w.organization_id
                  AND (t.expires_at IS NULL OR t.expires_at > now())
                  AND t.scopes && CAST(:scopes AS text[]))
