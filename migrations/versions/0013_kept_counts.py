"""Counts of bookmarks, kept by triggers, and indexes for lists that few of many bookmarks pass."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0013'
down_revision = '0012'

BATCH = 10_000
FACETS = "is_deleted, is_archived, is_read, is_favorite, is_tagged, capture_status"
OF_BOOKMARK = "deleted_at IS NOT NULL AS is_deleted, is_archived, is_read, is_favorite, is_tagged, capture_status"
BEFORE = f"SELECT organization_id, {OF_BOOKMARK}, -1 AS change FROM gone"
AFTER = f"SELECT organization_id, {OF_BOOKMARK}, 1 AS change FROM added"
LIVE_BEFORE, LIVE_AFTER = (f"SELECT id, is_archived FROM {rows} WHERE deleted_at IS NULL" for rows in ("gone", "added"))

# Rows that nobody else works on are replaced by their sums, so that there are never many to add up.
FOLD = f"""
CREATE FUNCTION fold_bookmark_counts(organizations bigint[]) RETURNS void LANGUAGE sql AS $$
    WITH folded AS (
        DELETE FROM bookmark_counts WHERE id IN (
            SELECT id FROM bookmark_counts WHERE organization_id = ANY(organizations) FOR UPDATE SKIP LOCKED)
        RETURNING *)
    INSERT INTO bookmark_counts (organization_id, {FACETS}, bookmarks)
    SELECT organization_id, {FACETS}, sum(bookmarks) FROM folded
     GROUP BY organization_id, {FACETS} HAVING sum(bookmarks) <> 0
$$;
CREATE FUNCTION fold_tag_counts(tags bigint[]) RETURNS void LANGUAGE sql AS $$
    WITH folded AS (
        DELETE FROM tag_counts WHERE id IN (
            SELECT id FROM tag_counts WHERE tag_id = ANY(tags) FOR UPDATE SKIP LOCKED)
        RETURNING *)
    INSERT INTO tag_counts (tag_id, is_archived, bookmarks)
    SELECT tag_id, is_archived, sum(bookmarks) FROM folded GROUP BY tag_id, is_archived HAVING sum(bookmarks) <> 0
$$;
"""

# Every 64th row that is appended has its likes folded. A transaction that sees the past leaves it to the next one: it
# would fail over what was folded since it began. What goes with its organization or tag is not counted any more.
APPEND_BOOKMARK_COUNTS = f"""
    WITH changed AS ({{changed}}),
    counted AS (
        SELECT organization_id, {FACETS}, sum(change) AS bookmarks FROM changed
         GROUP BY organization_id, {FACETS} HAVING sum(change) <> 0),
    appended AS (
        INSERT INTO bookmark_counts (organization_id, {FACETS}, bookmarks)
        SELECT c.* FROM counted c JOIN organizations o ON o.id = c.organization_id
        RETURNING id, organization_id)
    SELECT count(*), max(id), array_agg(DISTINCT organization_id) FROM appended INTO number, latest, touched;
    IF latest % 64 < number AND current_setting('transaction_isolation') = 'read committed' THEN
        PERFORM fold_bookmark_counts(touched);
    END IF;
"""
APPEND_TAG_COUNTS = """
    WITH changed AS ({changed}),
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
"""
FUNCTION = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
    latest bigint;
    touched bigint[];
BEGIN
    {body}
    RETURN NULL;
END $$;
"""

COUNT_INSERTED = APPEND_BOOKMARK_COUNTS.format(changed=AFTER)
COUNT_DELETED = APPEND_BOOKMARK_COUNTS.format(changed=BEFORE)
# Compared as sets: a join of two lists of changed rows would be planned for one row and take forever for thousands.
COUNT_UPDATED = f"""
    IF NOT EXISTS (SELECT id, organization_id, {OF_BOOKMARK} FROM added
                   EXCEPT SELECT id, organization_id, {OF_BOOKMARK} FROM gone) THEN
        RETURN NULL;
    END IF;
    {APPEND_BOOKMARK_COUNTS.format(changed=f"{BEFORE} UNION ALL {AFTER}")}
    {APPEND_TAG_COUNTS.format(changed=f'''
        SELECT t.tag_id, c.is_archived, c.change
          FROM (SELECT id, is_archived, 1 AS change FROM ({LIVE_AFTER} EXCEPT {LIVE_BEFORE}) AS come
                UNION ALL
                SELECT id, is_archived, -1 FROM ({LIVE_BEFORE} EXCEPT {LIVE_AFTER}) AS left_behind) c
          JOIN bookmark_tags t ON t.bookmark_id = c.id''')}
"""
# Whoever changes tags holds the bookmarks, so that nobody archives or deletes them meanwhile unseen.
COUNT_TAGGED = f"""
    PERFORM FROM bookmarks WHERE id IN (SELECT bookmark_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE bookmarks SET is_tagged = true WHERE id IN (SELECT bookmark_id FROM added) AND NOT is_tagged;
    {APPEND_TAG_COUNTS.format(changed='''
        SELECT a.tag_id, b.is_archived, 1 AS change
          FROM added a JOIN bookmarks b ON b.id = a.bookmark_id WHERE b.deleted_at IS NULL''')}
"""
# A bookmark that is deleted for good is not there any more: `count_lost_tags` has counted.
COUNT_UNTAGGED = f"""
    PERFORM FROM bookmarks WHERE id IN (SELECT bookmark_id FROM gone) ORDER BY id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE bookmarks b SET is_tagged = false
     WHERE id IN (SELECT bookmark_id FROM gone) AND is_tagged
       AND NOT EXISTS (SELECT FROM bookmark_tags t WHERE t.bookmark_id = b.id);
    {APPEND_TAG_COUNTS.format(changed='''
        SELECT g.tag_id, b.is_archived, -1 AS change
          FROM gone g JOIN bookmarks b ON b.id = g.bookmark_id WHERE b.deleted_at IS NULL''')}
"""
OTHER_FUNCTIONS = """
CREATE FUNCTION count_lost_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tag_counts (tag_id, is_archived, bookmarks)
    SELECT t.id, OLD.is_archived, -1 FROM bookmark_tags bt JOIN tags t ON t.id = bt.tag_id
     WHERE bt.bookmark_id = OLD.id ORDER BY t.id;
    RETURN OLD;
END $$;
CREATE FUNCTION forget_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'bookmarks' THEN
        DELETE FROM bookmark_counts;
    ELSE
        UPDATE bookmarks SET is_tagged = false WHERE is_tagged;
    END IF;
    DELETE FROM tag_counts;
    RETURN NULL;
END $$;
"""
TRIGGERS = """
CREATE TRIGGER count_inserted AFTER INSERT ON bookmarks REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_inserted_bookmarks();
CREATE TRIGGER count_updated AFTER UPDATE ON bookmarks REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_updated_bookmarks();
CREATE TRIGGER count_deleted AFTER DELETE ON bookmarks REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_bookmarks();
CREATE TRIGGER count_lost_tags BEFORE DELETE ON bookmarks
    FOR EACH ROW WHEN (OLD.is_tagged AND OLD.deleted_at IS NULL) EXECUTE FUNCTION count_lost_tags();
CREATE TRIGGER count_inserted AFTER INSERT ON bookmark_tags REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_tagged_bookmarks();
CREATE TRIGGER count_deleted AFTER DELETE ON bookmark_tags REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_untagged_bookmarks();
CREATE TRIGGER forget_counts AFTER TRUNCATE ON bookmarks FOR EACH STATEMENT EXECUTE FUNCTION forget_counts();
CREATE TRIGGER forget_counts AFTER TRUNCATE ON bookmark_tags FOR EACH STATEMENT EXECUTE FUNCTION forget_counts();
"""
FUNCTIONS = {
    'count_inserted_bookmarks': COUNT_INSERTED,
    'count_updated_bookmarks': COUNT_UPDATED,
    'count_deleted_bookmarks': COUNT_DELETED,
    'count_tagged_bookmarks': COUNT_TAGGED,
    'count_untagged_bookmarks': COUNT_UNTAGGED,
}

# Held against writers for about a second for each million rows.
COUNT_ALL = f"""
LOCK TABLE bookmarks, bookmark_tags IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM bookmark_counts;
DELETE FROM tag_counts;
INSERT INTO bookmark_counts (organization_id, {FACETS}, bookmarks)
SELECT organization_id, {FACETS}, count(*) FROM (SELECT organization_id, {OF_BOOKMARK} FROM bookmarks) b
 GROUP BY organization_id, {FACETS};
INSERT INTO tag_counts (tag_id, is_archived, bookmarks)
SELECT t.tag_id, b.is_archived, count(*) FROM bookmark_tags t JOIN bookmarks b ON b.id = t.bookmark_id
 WHERE b.deleted_at IS NULL GROUP BY t.tag_id, b.is_archived;
"""
MARK_TAGGED = """
UPDATE bookmarks b SET is_tagged = true
 WHERE id > :after AND id <= :after + :batch AND NOT is_tagged
   AND EXISTS (SELECT FROM bookmark_tags t WHERE t.bookmark_id = b.id)
"""
INDEXES = {
    'ix_bookmarks_inbox': 'is_archived IS false',
    'ix_bookmarks_archived': 'is_archived IS true',
    'ix_bookmarks_unread': 'is_read IS false',
    'ix_bookmarks_read': 'is_read IS true',
    'ix_bookmarks_favorite': 'is_favorite IS true',
    'ix_bookmarks_untagged': 'is_tagged IS false',
    'ix_bookmarks_broken': "capture_status = 'failed'",
}


def upgrade() -> None:
    op.create_table('bookmark_counts',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('is_deleted', sa.Boolean(), nullable=False),
    sa.Column('is_archived', sa.Boolean(), nullable=False),
    sa.Column('is_read', sa.Boolean(), nullable=False),
    sa.Column('is_favorite', sa.Boolean(), nullable=False),
    sa.Column('is_tagged', sa.Boolean(), nullable=False),
    sa.Column('capture_status', sa.Text(), nullable=False),
    sa.Column('bookmarks', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_bookmark_counts_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bookmark_counts'))
    )
    op.create_index(op.f('ix_bookmark_counts_organization_id'), 'bookmark_counts', ['organization_id'], unique=False)
    op.create_table('tag_counts',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('tag_id', sa.BigInteger(), nullable=False),
    sa.Column('is_archived', sa.Boolean(), nullable=False),
    sa.Column('bookmarks', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['tag_id'], ['tags.id'], name=op.f('fk_tag_counts_tag_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tag_counts'))
    )
    op.create_index(op.f('ix_tag_counts_tag_id'), 'tag_counts', ['tag_id'], unique=False)
    op.add_column('bookmarks', sa.Column('is_tagged', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.execute(FOLD)
    for name, body in FUNCTIONS.items():
        op.execute(FUNCTION.format(name=name, body=body))
    op.execute(OTHER_FUNCTIONS)
    op.execute(TRIGGERS)
    with op.get_context().autocommit_block():
        newest = op.get_bind().scalar(sa.text("SELECT coalesce(max(id), 0) FROM bookmarks"))
        for after in range(0, newest, BATCH):
            op.get_bind().execute(sa.text(MARK_TAGGED), {'after': after, 'batch': BATCH})
    op.execute(COUNT_ALL)
    with op.get_context().autocommit_block():
        for name, which in INDEXES.items():
            op.create_index(name, 'bookmarks', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text(f'deleted_at IS NULL AND {which}'), postgresql_include=['is_archived'], postgresql_concurrently=True, if_not_exists=True)



def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.drop_index(name, table_name='bookmarks', postgresql_concurrently=True, if_exists=True)
    for function in (*FUNCTIONS, 'count_lost_tags', 'forget_counts'):
        op.execute(f"DROP FUNCTION {function}() CASCADE")
    op.execute("DROP FUNCTION fold_bookmark_counts(bigint[])")
    op.execute("DROP FUNCTION fold_tag_counts(bigint[])")
    op.drop_column('bookmarks', 'is_tagged')
    op.drop_table('tag_counts')
    op.drop_table('bookmark_counts')
