"""Where titles and descriptions came from: what is equal to the stored page's title is the page's, other texts a person's.

Nothing is known of the origin of older descriptions, nor of titles that the page has changed since: they are kept as a
person's, so that no capture overwrites what somebody may have typed.
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0026'
down_revision = '0025'

BATCH = 5_000
FIELDS = ('title', 'description')


def upgrade() -> None:
    for field in FIELDS:
        op.add_column('bookmarks', sa.Column(f'{field}_from', sa.Text(), server_default='nobody', nullable=False))
        op.execute(f"ALTER TABLE bookmarks ADD CONSTRAINT ck_bookmarks_{field}_from CHECK ({field}_from in ('nobody', 'page', 'import', 'person')) NOT VALID")
    # In batches, each its own transaction: nobody waits for the whole table.
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        for field in FIELDS:
            op.execute(f'ALTER TABLE bookmarks VALIDATE CONSTRAINT ck_bookmarks_{field}_from')
        after = 0
        while after is not None:
            after = connection.execute(sa.text("""
                WITH batch AS (SELECT id FROM bookmarks WHERE id > :after ORDER BY id LIMIT :batch),
                     known AS (
                         UPDATE bookmarks b
                            SET title_from = CASE WHEN b.title = '' THEN 'nobody'
                                                  WHEN b.title = left(c.title, 2000) THEN 'page'
                                                  ELSE 'person' END,
                                description_from = CASE WHEN b.description = '' THEN 'nobody' ELSE 'person' END
                           FROM batch LEFT JOIN bookmark_contents c ON c.bookmark_id = batch.id
                          WHERE b.id = batch.id AND b.title_from = 'nobody' AND b.description_from = 'nobody'
                            AND (b.title <> '' OR b.description <> ''))
                SELECT max(id) FROM batch
            """), {'after': after, 'batch': BATCH}).scalar()


def downgrade() -> None:
    for field in FIELDS:
        op.drop_column('bookmarks', f'{field}_from')
