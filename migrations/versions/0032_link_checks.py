"""Checks of captured links."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0032'
down_revision = "0031"


def upgrade() -> None:
    op.create_table('link_checks',
    sa.Column('bookmark_id', sa.BigInteger(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('etag', sa.Text(), nullable=True),
    sa.Column('last_modified', sa.Text(), nullable=True),
    sa.Column('failures', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('failed_on', sa.Date(), nullable=True),
    sa.Column('is_dead', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_link_checks_bookmark_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('bookmark_id', name=op.f('pk_link_checks'))
    )
    op.create_index('ix_link_checks_due_at', 'link_checks', ['due_at'], unique=False)


def downgrade() -> None:
    op.drop_table('link_checks')
