"""Feeds: saved filters at secret addresses."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0029'
down_revision = "0028"


def upgrade() -> None:
    op.create_table('feeds',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('filter', postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id', 'organization_id'], ['memberships.user_id', 'memberships.organization_id'], name=op.f('fk_feeds_user_id_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feeds')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_feeds_token_hash'))
    )
    op.create_index(op.f('ix_feeds_user_id_organization_id'), 'feeds', ['user_id', 'organization_id'], unique=False)


def downgrade() -> None:
    op.drop_table('feeds')
