"""Updates of many bookmarks compute once which of them moved in or out of the counts of tags."""

from __future__ import annotations

from alembic import op

revision = '0033'
down_revision = '0032'

FACETS = "is_deleted, is_archived, is_read, is_favorite, is_tagged, capture_status"
OF_BOOKMARK = "deleted_at IS NOT NULL AS is_deleted, is_archived, is_read, is_favorite, is_tagged, capture_status"
LIVE_BEFORE, LIVE_AFTER = (f"SELECT id, is_archived FROM {rows} WHERE deleted_at IS NULL" for rows in ("gone", "added"))
MOVED = f"""
        SELECT id, is_archived, 1 AS change FROM ({LIVE_AFTER} EXCEPT {LIVE_BEFORE}) AS come
        UNION ALL
        SELECT id, is_archived, -1 FROM ({LIVE_BEFORE} EXCEPT {LIVE_AFTER}) AS left_behind"""
TAGS_OF = "SELECT t.tag_id, c.is_archived, c.change FROM {moved} c JOIN bookmark_tags t ON t.bookmark_id = c.id"
JOINED = f"changed AS ({TAGS_OF.format(moved=f'({MOVED})')})"
# While bookmark_tags has no statistics, the planner may take it for a single row and put it outside of a nested loop:
# the sets would be compared again for each of its rows.
MATERIALIZED = f"moved AS MATERIALIZED ({MOVED}),\n    changed AS ({TAGS_OF.format(moved='moved')})"

FUNCTION = """
CREATE OR REPLACE FUNCTION count_updated_bookmarks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
    latest bigint;
    touched bigint[];
BEGIN
    IF NOT EXISTS (SELECT id, organization_id, {of_bookmark} FROM added
                   EXCEPT SELECT id, organization_id, {of_bookmark} FROM gone) THEN
        RETURN NULL;
    END IF;
    WITH changed AS (
        SELECT organization_id, {of_bookmark}, -1 AS change FROM gone
        UNION ALL
        SELECT organization_id, {of_bookmark}, 1 AS change FROM added),
    counted AS (
        SELECT organization_id, {facets}, sum(change) AS bookmarks FROM changed
         GROUP BY organization_id, {facets} HAVING sum(change) <> 0),
    appended AS (
        INSERT INTO bookmark_counts (organization_id, {facets}, bookmarks)
        SELECT c.* FROM counted c JOIN organizations o ON o.id = c.organization_id
        RETURNING id, organization_id)
    SELECT count(*), max(id), array_agg(DISTINCT organization_id) FROM appended INTO number, latest, touched;
    IF latest % 64 < number AND current_setting('transaction_isolation') = 'read committed' THEN
        PERFORM fold_bookmark_counts(touched);
    END IF;
    WITH {changed},
    counted AS (
        SELECT tag_id, is_archived, sum(change) AS bookmarks FROM changed
         GROUP BY tag_id, is_archived HAVING sum(change) <> 0),
    appended AS (
        INSERT INTO tag_counts (tag_id, is_archived, bookmarks)
        SELECT c.* FROM counted c JOIN tags t ON t.id = c.tag_id ORDER BY c.tag_id
        RETURNING id, tag_id)
    SELECT count(*), max(id), array_agg(DISTINCT tag_id) FROM appended INTO number, latest, touched;
    IF latest % 64 < number AND current_setting('transaction_isolation') = 'read committed' THEN
        PERFORM fold_tag_counts(touched);
    END IF;
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    define(MATERIALIZED)


def downgrade() -> None:
    define(JOINED)


def define(changed: str) -> None:
    op.execute(FUNCTION.format(changed=changed, of_bookmark=OF_BOOKMARK, facets=FACETS))
