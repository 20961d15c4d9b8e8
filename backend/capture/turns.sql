-- claim
-- Claims due bookmarks in fair order. Its cost grows with the number of people and hosts, not with their links:
-- `people` and `hosts` are skip scans of ix_bookmarks_capture_turns.
WITH RECURSIVE
taken AS MATERIALIZED (
    SELECT coalesce(user_id, - organization_id) AS person, coalesce(capture_host, domain) AS host
      FROM bookmarks
     WHERE capture_claimed_at IS NOT NULL AND capture_status = 'pending' AND capture_due_at > now()),
of_person AS MATERIALIZED (SELECT person, count(*) AS number FROM taken GROUP BY person),
of_host AS MATERIALIZED (
    SELECT host, greatest(max(number), 0) AS number
      FROM (SELECT host, count(*) AS number FROM taken GROUP BY host
            UNION ALL
            SELECT host, :per_host FROM unnest(CAST(:busy AS text[])) AS busy(host)) AS both_counts
     GROUP BY host),
here AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:people AS bigint[]), CAST(:numbers AS bigint[])) AS given(person, number)),
people(person) AS (
    (SELECT coalesce(user_id, - organization_id) FROM bookmarks
      WHERE capture_status = 'pending' AND deleted_at IS NULL ORDER BY 1 LIMIT 1)
    UNION ALL
    SELECT (SELECT coalesce(b.user_id, - b.organization_id) FROM bookmarks b
             WHERE b.capture_status = 'pending' AND b.deleted_at IS NULL
               AND coalesce(b.user_id, - b.organization_id) > p.person ORDER BY 1 LIMIT 1)
      FROM people p WHERE p.person IS NOT NULL),
-- Up to the limits of each person, by priority, and of each host.
candidates AS MATERIALIZED (
    SELECT p.person, urgency.priority, waiting.*
      FROM people p
     CROSS JOIN (VALUES (1), (0)) AS urgency(priority)
     CROSS JOIN LATERAL (
           WITH RECURSIVE hosts(host) AS (
               (SELECT coalesce(b.capture_host, b.domain) FROM bookmarks b
                 WHERE b.capture_status = 'pending' AND b.deleted_at IS NULL
                   AND coalesce(b.user_id, - b.organization_id) = p.person AND b.capture_priority = urgency.priority
                   AND b.capture_due_at <= now()
                 ORDER BY coalesce(b.capture_host, b.domain) LIMIT 1)
               UNION ALL
               SELECT (SELECT coalesce(b.capture_host, b.domain) FROM bookmarks b
                        WHERE b.capture_status = 'pending' AND b.deleted_at IS NULL
                          AND coalesce(b.user_id, - b.organization_id) = p.person
                          AND b.capture_priority = urgency.priority
                          AND coalesce(b.capture_host, b.domain) > h.host AND b.capture_due_at <= now()
                        ORDER BY coalesce(b.capture_host, b.domain) LIMIT 1)
                 FROM hosts h WHERE h.host IS NOT NULL)
           SELECT h.host, coalesce(o.number, 0) AS host_taken, due.id, due.capture_due_at
             FROM hosts h
             LEFT JOIN of_host o ON o.host = h.host
            CROSS JOIN LATERAL (
                  SELECT b.id, b.capture_due_at FROM bookmarks b
                   WHERE b.capture_status = 'pending' AND b.deleted_at IS NULL
                     AND coalesce(b.user_id, - b.organization_id) = p.person
                     AND b.capture_priority = urgency.priority
                     AND coalesce(b.capture_host, b.domain) = h.host AND b.capture_due_at <= now()
                   ORDER BY b.capture_due_at
                   LIMIT greatest(:per_host - coalesce(o.number, 0), 0)) AS due
            -- Among many people each gets only a few at a time.
            LIMIT CASE WHEN (SELECT count(*) FROM people) > 8 THEN :per_person ELSE :free END) AS waiting
     WHERE p.person IS NOT NULL),
-- Round robin: everyone's first before anyone's second; then in the order of the round.
ranked AS (
    SELECT c.*, coalesce(t.number, 0) AS person_taken, coalesce(m.number, 0) AS person_here,
           row_number() OVER (PARTITION BY c.person ORDER BY c.priority DESC, c.host, c.capture_due_at) AS rank
      FROM candidates c
      LEFT JOIN of_person t ON t.person = c.person
      LEFT JOIN here m ON m.person = c.person),
allowed AS (
    SELECT r.*, r.person_taken + r.rank AS turn
      FROM ranked r
     WHERE CASE WHEN (SELECT count(DISTINCT person) FROM candidates) > 1
                THEN r.person_taken + r.rank <= :per_person
                ELSE r.person_here + r.rank <= :alone END),
fitting AS (
    SELECT a.*, a.host_taken + row_number() OVER (
               PARTITION BY a.host ORDER BY a.turn, a.priority DESC, a.person <= :after, a.person) AS at_host
      FROM allowed a),
chosen AS (
    SELECT id FROM fitting WHERE at_host <= :per_host
     ORDER BY turn, priority DESC, person <= :after, person LIMIT :free),
-- Rows locked by another transaction wait for the next poll.
locked AS (
    SELECT b.id FROM bookmarks b
     WHERE b.id = ANY(ARRAY(SELECT id FROM chosen)) AND b.capture_status = 'pending' AND b.capture_due_at <= now()
       FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE bookmarks b
       SET capture_attempts = b.capture_attempts + 1, capture_claimed_at = now(),
           capture_due_at = now() + make_interval(secs => :lease)
      FROM locked WHERE b.id = locked.id
    RETURNING b.id, b.organization_id, coalesce(b.user_id, - b.organization_id) AS person,
              coalesce(b.capture_host, b.domain) AS host, b.url, b.capture_attempts AS attempt,
              b.capture_claimed_at AS claimed_at),
-- Jobs that watch the capture are marked as running. The fallback of `run_capture_job` waits until the lease has ended.
watched AS (
    UPDATE jobs j
       SET status = 'running', started_at = coalesce(j.started_at, now()), attempts = j.attempts + 1,
           run_after = now() + make_interval(secs => 2 * :lease)
     WHERE j.kind = 'capture' AND j.status IN ('queued', 'running')
       AND CAST(j.arguments ->> 'bookmark_id' AS bigint) = ANY(ARRAY(SELECT id FROM claimed))
    RETURNING CAST(j.arguments ->> 'bookmark_id' AS bigint) AS bookmark_id, j.request_id)
SELECT c.*, s.page_average,
       coalesce((SELECT max(w.request_id) FROM watched w WHERE w.bookmark_id = c.id), '') AS request_id
  FROM claimed c LEFT JOIN search_statistics s ON s.organization_id = c.organization_id
 ORDER BY c.id

-- renew
-- Renews the leases of claims that are still held.
UPDATE bookmarks b
   SET capture_due_at = now() + make_interval(secs => :lease)
  FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS timestamptz[]), CAST(:attempts AS bigint[]))
       AS given(id, claim, attempt)
 WHERE b.id = given.id AND b.capture_status = 'pending'
   AND b.capture_claimed_at = given.claim AND b.capture_attempts = given.attempt

-- hand_back
-- Releases claims without a result, as if they had not been taken.
UPDATE bookmarks b
   SET capture_due_at = now() + make_interval(secs => :wait), capture_claimed_at = NULL,
       capture_attempts = greatest(b.capture_attempts - 1, 0), capture_host = coalesce(:host, b.capture_host)
  FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS timestamptz[]), CAST(:attempts AS bigint[]))
       AS given(id, claim, attempt)
 WHERE b.id = given.id AND b.capture_status = 'pending'
   AND b.capture_claimed_at = given.claim AND b.capture_attempts = given.attempt
RETURNING b.id
