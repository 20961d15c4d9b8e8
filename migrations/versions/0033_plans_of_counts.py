"""Triggers count thousands of changed rows in time, whatever the size of the tables for which they were planned.

A connection keeps the plans of a trigger. Made while a table was nearly empty, they scan it for each changed row, or
compare all changed rows for each of its own. Statements over many rows are now planned each time, and sets of changed
rows are computed once; those over a few rows keep their plans, which look the rows up by an index.
"""

from __future__ import annotations

from alembic import op

revision = '0033'
down_revision = '0032'

FACETS = "is_deleted, is_archived, is_read, is_favorite, is_tagged, capture_status"
FEW = 20
OF_BOOKMARK = "deleted_at IS NOT NULL AS is_deleted, is_archived, is_read, is_favorite, is_tagged, capture_status"
LIVE_BEFORE, LIVE_AFTER = (f"SELECT id, is_archived FROM {rows} WHERE deleted_at IS NULL" for rows in ("gone", "added"))

APPENDED = " INTO number, latest, touched;"
APPEND_BOOKMARK_COUNTS = f"""
    WITH changed AS (
        SELECT organization_id, {OF_BOOKMARK}, -1 AS change FROM gone
        UNION ALL
        SELECT organization_id, {OF_BOOKMARK}, 1 AS change FROM added),
    counted AS (
        SELECT organization_id, {FACETS}, sum(change) AS bookmarks FROM changed
         GROUP BY organization_id, {FACETS} HAVING sum(change) <> 0),
    appended AS (
        INSERT INTO bookmark_counts (organization_id, {FACETS}, bookmarks)
        SELECT c.* FROM counted c JOIN organizations o ON o.id = c.organization_id
        RETURNING id, organization_id)
    SELECT count(*), max(id), array_agg(DISTINCT organization_id) FROM appended"""
APPEND_TAG_COUNTS = """
    WITH {changed},
    counted AS (
        SELECT tag_id, is_archived, sum(change) AS bookmarks FROM changed
         GROUP BY tag_id, is_archived HAVING sum(change) <> 0),
    appended AS (
        INSERT INTO tag_counts (tag_id, is_archived, bookmarks)
        SELECT c.* FROM counted c JOIN tags t ON t.id = c.tag_id ORDER BY c.tag_id
        RETURNING id, tag_id)
    SELECT count(*), max(id), array_agg(DISTINCT tag_id) FROM appended"""
FOLD = """
    IF latest % 64 < number AND current_setting('transaction_isolation') = 'read committed' THEN
        PERFORM fold_{kind}_counts(touched);
    END IF;
"""
MOVED = f"""
        SELECT id, is_archived, 1 AS change FROM ({LIVE_AFTER} EXCEPT {LIVE_BEFORE}) AS come
        UNION ALL
        SELECT id, is_archived, -1 FROM ({LIVE_BEFORE} EXCEPT {LIVE_AFTER}) AS left_behind"""
UNCHANGED = f"""
    IF NOT EXISTS (SELECT id, organization_id, {OF_BOOKMARK} FROM added
                   EXCEPT SELECT id, organization_id, {OF_BOOKMARK} FROM gone) THEN
        RETURN NULL;
    END IF;
"""
# Whoever changes tags holds the bookmarks, so that nobody archives or deletes them meanwhile unseen.
HOLD = "FROM bookmarks WHERE {among} ORDER BY id FOR NO KEY UPDATE"
MARK = "UPDATE bookmarks SET is_tagged = true WHERE {among} AND NOT is_tagged"
UNMARK = "UPDATE bookmarks b SET is_tagged = false WHERE {among} AND is_tagged AND {untagged}"
TAGGED = "changed AS (SELECT a.tag_id, b.is_archived, {change} AS change FROM {rows} a {bookmarks})"


def old_bodies() -> dict[str, str]:
    moved = f"""changed AS (
        SELECT t.tag_id, c.is_archived, c.change FROM ({MOVED}) c JOIN bookmark_tags t ON t.bookmark_id = c.id)"""
    joined = "JOIN bookmarks b ON b.id = a.bookmark_id WHERE b.deleted_at IS NULL"
    untagged = "NOT EXISTS (SELECT FROM bookmark_tags t WHERE t.bookmark_id = b.id)"

    def of_tags(rows: str, mark: str, change: int) -> str:
        among = f"id IN (SELECT bookmark_id FROM {rows})"
        counts = APPEND_TAG_COUNTS.format(changed=TAGGED.format(change=change, rows=rows, bookmarks=joined))
        hold = f"PERFORM {HOLD.format(among=among)};\n    IF NOT FOUND THEN RETURN NULL; END IF;\n"
        return f"{hold}{mark.format(among=among, untagged=untagged)};{counts}{APPENDED}{FOLD.format(kind='tag')}"

    updated = APPEND_BOOKMARK_COUNTS + APPENDED + FOLD.format(kind="bookmark")
    return {
        "count_updated_bookmarks": UNCHANGED
        + updated
        + APPEND_TAG_COUNTS.format(changed=moved)
        + APPENDED
        + FOLD.format(kind="tag"),
        "count_tagged_bookmarks": of_tags("added", MARK, 1),
        "count_untagged_bookmarks": of_tags("gone", UNMARK, -1),
    }


def new_bodies() -> dict[str, str]:
    # OFFSET prevents joins, which could be planned the wrong way round.
    moved = f"""moved AS MATERIALIZED ({MOVED}),
    changed AS (
        SELECT t.tag_id, c.is_archived, c.change
          FROM moved c CROSS JOIN LATERAL (
               SELECT tag_id FROM bookmark_tags WHERE bookmark_id = c.id OFFSET 0) AS t)"""
    looked_up = """CROSS JOIN LATERAL (
             SELECT is_archived FROM bookmarks WHERE id = a.bookmark_id AND deleted_at IS NULL OFFSET 0) AS b"""
    untagged = "(SELECT t.tag_id FROM bookmark_tags t WHERE t.bookmark_id = b.id LIMIT 1) IS NULL"

    def of_tags(rows: str, mark: str, change: int) -> str:
        among = f"id = ANY(ARRAY(SELECT DISTINCT bookmark_id FROM {rows}))"
        hold = HOLD.format(among=among)
        counts = APPEND_TAG_COUNTS.format(changed=TAGGED.format(change=change, rows=rows, bookmarks=looked_up))
        statements = [(f"PERFORM {hold};", f"SELECT {hold}", ";"), fresh(mark.format(among=among, untagged=untagged))]
        return by_number(rows, *statements, fresh(counts, APPENDED)) + FOLD.format(kind="tag")

    updated = by_number("added", fresh(APPEND_BOOKMARK_COUNTS, APPENDED)) + FOLD.format(kind="bookmark")
    tags = by_number("added", fresh(APPEND_TAG_COUNTS.format(changed=moved), APPENDED)) + FOLD.format(kind="tag")
    return {
        "count_updated_bookmarks": UNCHANGED + updated + tags,
        "count_tagged_bookmarks": of_tags("added", MARK, 1),
        "count_untagged_bookmarks": of_tags("gone", UNMARK, -1),
    }


def fresh(query: str, end: str = ";") -> tuple[str, str, str]:
    return query + end, query, end


def by_number(rows: str, *statements: tuple[str, str, str]) -> str:
    """Execute statements with their kept plans for a few rows, and planned again for many."""
    kept = "\n    ".join(statement for statement, _, _ in statements)
    planned = "\n    ".join(f"EXECUTE $sql${query}$sql${end}" for _, query, end in statements)
    return f"""
    IF (SELECT count(*) FROM (SELECT FROM {rows} LIMIT {FEW + 1}) AS first) <= {FEW} THEN
    {kept}
    ELSE
    {planned}
    END IF;
"""


FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {settings} AS $$
DECLARE
    number bigint;
    latest bigint;
    touched bigint[];
BEGIN
    {body}
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    define(new_bodies(), "SET enable_seqscan TO off")


def downgrade() -> None:
    define(old_bodies(), "")


def define(bodies: dict[str, str], settings: str) -> None:
    for name, body in bodies.items():
        op.execute(FUNCTION.format(name=name, body=body, settings=settings))
