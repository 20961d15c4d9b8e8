-- earlier_runs
-- Another export of the same person, asked for earlier.
SELECT EXISTS (
    SELECT FROM jobs other JOIN jobs mine ON mine.id = :job_id
     WHERE other.kind = 'dashboard_export' AND other.user_id = :user_id AND other.status = 'running'
       AND other.lease_until > now() AND (other.created_at, other.id) < (mine.created_at, mine.id))

-- others_waited
-- A job of somebody else that was there when this person's last export ended. Those that came later have no turn
-- before this one: it would wait for ever where somebody always comes.
SELECT EXISTS (
    SELECT FROM jobs other
     WHERE other.status = 'queued' AND other.run_after <= now() AND other.kind = ANY(CAST(:kinds AS text[]))
       AND other.user_id IS DISTINCT FROM :user_id
       AND other.created_at < (SELECT max(ended.finished_at) FROM jobs ended
                                WHERE ended.kind = 'dashboard_export' AND ended.user_id = :user_id))
