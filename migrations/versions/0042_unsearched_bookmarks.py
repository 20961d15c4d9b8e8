"""Bookmarks in the trash or the archive, which searches leave out: whether a match is one of them is read from an index of
these alone.
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0042'
down_revision = '0041'


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            'ix_bookmarks_unsearched', 'bookmarks', ['id'], unique=False, if_not_exists=True,
            postgresql_where=sa.text('deleted_at IS NOT NULL OR is_archived'), postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index('ix_bookmarks_unsearched', table_name='bookmarks', postgresql_concurrently=True, if_exists=True)
