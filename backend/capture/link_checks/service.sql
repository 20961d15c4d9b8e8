-- schedule
-- Schedules the first check of captured bookmarks that have none, a bounded number at a time, past the last one looked
-- at. Spread over the interval, so that a large import is not checked in one night.
WITH part AS (
    SELECT id, captured_at, capture_status FROM bookmarks WHERE id > :after ORDER BY id LIMIT :limit),
added AS (
    INSERT INTO link_checks (bookmark_id, due_at)
    SELECT id, greatest(captured_at, now() - make_interval(days => :days)) + random() * make_interval(days => :days)
      FROM part
     WHERE capture_status = 'captured' AND captured_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM link_checks c WHERE c.bookmark_id = part.id)
    ON CONFLICT DO NOTHING)
SELECT max(id) FROM part

-- claim
-- Takes what is to be checked next: of each host one, and the first of everybody before the second of anybody. What was
-- deleted, or is being captured, has its turn later.
WITH due AS (
    SELECT c.bookmark_id, c.due_at FROM link_checks c WHERE c.due_at <= now() ORDER BY c.due_at LIMIT :looked_at),
of_host AS (
    SELECT DISTINCT ON (b.domain) b.id, b.domain, coalesce(b.user_id, - b.organization_id) AS person, d.due_at
      FROM due d JOIN bookmarks b ON b.id = d.bookmark_id
     WHERE NOT b.domain = ANY(CAST(:busy AS text[]))
     ORDER BY b.domain, d.due_at),
turns AS (
    SELECT id, row_number() OVER (PARTITION BY person ORDER BY due_at) AS turn, due_at FROM of_host),
chosen AS (
    SELECT id FROM turns ORDER BY turn, due_at LIMIT :free),
locked AS (
    SELECT c.bookmark_id FROM link_checks c WHERE c.bookmark_id IN (SELECT id FROM chosen) AND c.due_at <= now()
       FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE link_checks c SET due_at = now() + make_interval(secs => :lease)
      FROM locked WHERE c.bookmark_id = locked.bookmark_id
    RETURNING c.bookmark_id, c.url, c.etag, c.last_modified)
SELECT c.bookmark_id, b.organization_id, b.url, b.domain,
       CASE WHEN c.url = b.url THEN c.etag END AS etag,
       CASE WHEN c.url = b.url THEN c.last_modified END AS last_modified,
       b.deleted_at IS NULL AND b.capture_status IN ('captured', 'failed') AS is_checked
  FROM claimed c JOIN bookmarks b ON b.id = c.bookmark_id

-- put_off
-- Has checks wait without a result.
UPDATE link_checks SET due_at = now() + make_interval(days => :days) WHERE bookmark_id = :bookmark_id

-- fail
-- Counts a check that failed, once a day. Marks the bookmark as broken where the link is gone for good, or nothing has
-- answered on so many days; only what was captured, not what a person has given another address meanwhile.
WITH counted AS (
    UPDATE link_checks
       SET failures = CASE WHEN url IS DISTINCT FROM :url THEN 1
                           WHEN failed_on IS DISTINCT FROM current_date THEN failures + 1
                           ELSE failures END,
           failed_on = current_date, url = :url
     WHERE bookmark_id = :bookmark_id
    RETURNING bookmark_id, failures),
marked AS (
    UPDATE bookmarks b SET capture_status = 'failed', capture_error = :reason, updated_at = now()
      FROM counted c
     WHERE b.id = c.bookmark_id AND b.url = :url AND b.capture_status = 'captured'
       AND (:is_gone OR c.failures >= :most_failures)
    RETURNING b.id)
SELECT count(*) AS marked FROM marked

-- set_dead
-- Remembers that it was a check that has marked a bookmark.
UPDATE link_checks SET is_dead = true WHERE bookmark_id = :bookmark_id

-- schedule_next
-- The next check: tomorrow while failures are being counted, else after the interval.
UPDATE link_checks
   SET due_at = now() + make_interval(days => CASE WHEN failures > 0 AND NOT is_dead THEN 1 ELSE :days END)
 WHERE bookmark_id = :bookmark_id

-- recover
-- Remembers the validators of a page that answers, and takes back the mark of a check.
WITH before AS (SELECT bookmark_id, is_dead FROM link_checks WHERE bookmark_id = :bookmark_id FOR UPDATE),
answered AS (
    UPDATE link_checks c
       SET failures = 0, failed_on = NULL, is_dead = false, url = :url, etag = :etag, last_modified = :last_modified
      FROM before WHERE c.bookmark_id = before.bookmark_id),
unmarked AS (
    UPDATE bookmarks b SET capture_status = 'captured', capture_error = NULL, updated_at = now()
      FROM before
     WHERE b.id = before.bookmark_id AND before.is_dead AND b.url = :url AND b.capture_status = 'failed'
    RETURNING b.id)
SELECT count(*) AS unmarked FROM unmarked
