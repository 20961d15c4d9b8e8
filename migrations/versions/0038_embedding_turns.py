"""Bookmarks that wait for a vector by organization: everyone has a turn."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0038'
down_revision = '0037'

WAITING = {'postgresql_where': sa.text('embedding_due_at IS NOT NULL'), 'postgresql_concurrently': True}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index('ix_bookmarks_embedding_turns', 'bookmarks', ['organization_id', 'embedding_due_at'], unique=False, if_not_exists=True, **WAITING)
        op.drop_index('ix_bookmarks_embedding_due', table_name='bookmarks', postgresql_concurrently=True, if_exists=True)
        op.drop_index('ix_bookmarks_embedding_waiting', table_name='bookmarks', postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index('ix_bookmarks_embedding_due', 'bookmarks', ['embedding_due_at'], unique=False, if_not_exists=True, **WAITING)
        op.create_index('ix_bookmarks_embedding_waiting', 'bookmarks', ['organization_id'], unique=False, if_not_exists=True, **WAITING)
        op.drop_index('ix_bookmarks_embedding_turns', table_name='bookmarks', postgresql_concurrently=True, if_exists=True)
