"""Dashboard exports: files in parts, as jobs write them."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0036'
down_revision = '0035'


def upgrade() -> None:
    op.create_table('dashboard_exports',
    sa.Column('job_id', sa.Uuid(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('format', sa.Text(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('attempt', sa.BigInteger(), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('digest', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['jobs.id'], name=op.f('fk_dashboard_exports_job_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_dashboard_exports_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_dashboard_exports_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_dashboard_exports'))
    )
    op.create_index(op.f('ix_dashboard_exports_organization_id'), 'dashboard_exports', ['organization_id'], unique=False)
    op.create_index(op.f('ix_dashboard_exports_user_id'), 'dashboard_exports', ['user_id'], unique=False)
    op.create_index(op.f('ix_dashboard_exports_expires_at'), 'dashboard_exports', ['expires_at'], unique=False)
    op.create_table('dashboard_export_parts',
    sa.Column('job_id', sa.Uuid(), nullable=False),
    sa.Column('attempt', sa.SmallInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['dashboard_exports.job_id'], name=op.f('fk_dashboard_export_parts_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', 'attempt', 'position', name=op.f('pk_dashboard_export_parts'))
    )


def downgrade() -> None:
    op.drop_table('dashboard_export_parts')
    op.drop_table('dashboard_exports')
