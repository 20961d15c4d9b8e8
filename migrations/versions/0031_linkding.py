"""What linkding's clients read and store: when a tag was made, and bundles.

Of older tags nobody knows when they were made: at the latest now.
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0031'
down_revision = '0026'

STATES = "('off', 'yes', 'no')"


def upgrade() -> None:
    op.add_column('tags', sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.create_table(
        'bundles',
        sa.Column('id', sa.BigInteger(), nullable=False),
        sa.Column('organization_id', sa.BigInteger(), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=True),
        sa.Column('name', sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), server_default='', nullable=False) for name in ('search', 'any_tags', 'all_tags', 'excluded_tags')),
        *(sa.Column(name, sa.Text(), server_default='off', nullable=False) for name in ('filter_unread', 'filter_shared')),
        sa.Column('position', sa.Integer(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False) for name in ('created_at', 'updated_at')),
        sa.CheckConstraint(f'filter_unread in {STATES}', name=op.f('ck_bundles_filter_unread')),
        sa.CheckConstraint(f'filter_shared in {STATES}', name=op.f('ck_bundles_filter_shared')),
        sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_bundles_organization_id'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_bundles_user_id'), ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_bundles')),
    )
    op.create_index(op.f('ix_bundles_user_id'), 'bundles', ['user_id'], unique=False)
    op.create_index('ix_bundles_organization_id_position', 'bundles', ['organization_id', 'position', 'id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_bundles_user_id'), table_name='bundles')
    op.drop_index('ix_bundles_organization_id_position', table_name='bundles')
    op.drop_table('bundles')
    op.drop_column('tags', 'created_at')
