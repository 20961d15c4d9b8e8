"""Whose turn it is to be captured: who asked, how urgently, of which host, and what is being read."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0024'
down_revision = '0022'

PENDING = "capture_status = 'pending' AND deleted_at IS NULL"
WATCHED = "kind = 'capture' AND status IN ('queued', 'running')"


def upgrade() -> None:
    op.add_column('bookmarks', sa.Column('capture_priority', sa.SmallInteger(), server_default='0', nullable=False))
    op.add_column('bookmarks', sa.Column('capture_host', sa.Text(), nullable=True))
    op.add_column('bookmarks', sa.Column('capture_claimed_at', sa.DateTime(timezone=True), nullable=True))
    with op.get_context().autocommit_block():
        op.create_index('ix_bookmarks_capture_turns', 'bookmarks', [sa.literal_column('(COALESCE(user_id, - organization_id))'), sa.literal_column('capture_priority DESC'), sa.literal_column('(COALESCE(capture_host, domain))'), 'capture_due_at'], unique=False, postgresql_where=sa.text(PENDING), postgresql_concurrently=True, if_not_exists=True)
        op.create_index('ix_bookmarks_capture_claimed', 'bookmarks', ['capture_claimed_at'], unique=False, postgresql_where=sa.text('capture_claimed_at IS NOT NULL'), postgresql_concurrently=True, if_not_exists=True)
        op.create_index('ix_jobs_captures', 'jobs', [sa.literal_column("((arguments ->> 'bookmark_id')::bigint)")], unique=False, postgresql_where=sa.text(WATCHED), postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index('ix_jobs_captures', table_name='jobs', postgresql_concurrently=True, if_exists=True)
        for name in ('ix_bookmarks_capture_claimed', 'ix_bookmarks_capture_turns'):
            op.drop_index(name, table_name='bookmarks', postgresql_concurrently=True, if_exists=True)
    for name in ('capture_claimed_at', 'capture_host', 'capture_priority'):
        op.drop_column('bookmarks', name)
