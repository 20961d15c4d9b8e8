"""Projects, and the bookmarks attached to them."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('projects',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_key', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('technologies', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.Text(), server_default='active', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status in ('active', 'paused', 'done', 'archived')", name=op.f('ck_projects_status')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_projects_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_projects_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_projects'))
    )
    op.create_index(op.f('ix_projects_organization_id'), 'projects', ['organization_id'], unique=False)
    op.create_index(op.f('ix_projects_user_id'), 'projects', ['user_id'], unique=False)
    op.create_index('ix_projects_created', 'projects', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('ix_projects_updated', 'projects', ['organization_id', sa.literal_column('updated_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('ix_projects_name', 'projects', ['organization_id', sa.literal_column('name_key'), sa.literal_column('id')], unique=False, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('ix_projects_trash', 'projects', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text('deleted_at IS NOT NULL'))
    op.create_index('ix_projects_deleted_at', 'projects', ['deleted_at'], unique=False, postgresql_where=sa.text('deleted_at IS NOT NULL'))
    op.create_table('project_bookmarks',
    sa.Column('project_id', sa.BigInteger(), nullable=False),
    sa.Column('bookmark_id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('attached_by', sa.BigInteger(), nullable=True),
    sa.Column('attached_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_project_bookmarks_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_project_bookmarks_bookmark_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_project_bookmarks_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['attached_by'], ['users.id'], name=op.f('fk_project_bookmarks_attached_by'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('project_id', 'bookmark_id', name=op.f('pk_project_bookmarks'))
    )
    op.create_index('ix_project_bookmarks_attached', 'project_bookmarks', ['project_id', sa.literal_column('attached_at DESC'), sa.literal_column('bookmark_id DESC')], unique=False)
    op.create_index('ix_project_bookmarks_bookmark_id_project_id', 'project_bookmarks', ['bookmark_id', 'project_id'], unique=False)
    op.create_index(op.f('ix_project_bookmarks_organization_id'), 'project_bookmarks', ['organization_id'], unique=False)
    op.create_index(op.f('ix_project_bookmarks_attached_by'), 'project_bookmarks', ['attached_by'], unique=False)


def downgrade() -> None:
    op.drop_table('project_bookmarks')
    op.drop_table('projects')
