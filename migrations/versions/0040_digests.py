"""Digests: when the next one is due, in which language, and which weeks had one."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0040'
down_revision = '0039'

WANTED = {'postgresql_where': sa.text('digest_due_at IS NOT NULL'), 'postgresql_concurrently': True}


def upgrade() -> None:
    op.add_column('users', sa.Column('language', sa.Text(), nullable=True))
    op.add_column('users', sa.Column('digest_due_at', sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f('ck_users_language'), 'users', "language in ('en', 'de')")
    op.create_table('digests',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('week', sa.Date(), nullable=False),
    sa.Column('is_mailed', sa.Boolean(), nullable=False),
    sa.Column('bookmark_ids', postgresql.ARRAY(sa.BigInteger()), server_default='{}', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_digests_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'week', name=op.f('pk_digests'))
    )
    with op.get_context().autocommit_block():
        op.create_index('ix_users_digest_due', 'users', ['digest_due_at'], unique=False, if_not_exists=True, **WANTED)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index('ix_users_digest_due', table_name='users', postgresql_concurrently=True, if_exists=True)
    op.drop_table('digests')
    op.drop_column('users', 'digest_due_at')
    op.drop_column('users', 'language')
