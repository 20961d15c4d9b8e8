"""What was asked of language models, for each person and day."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.create_table('llm_usage',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('is_servers', sa.Boolean(), nullable=False),
    sa.Column('calls', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('prompt_tokens', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('completion_tokens', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('reserved_tokens', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('reserved_until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_llm_usage_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'day', 'is_servers', name=op.f('pk_llm_usage'))
    )


def downgrade() -> None:
    op.drop_table('llm_usage')
