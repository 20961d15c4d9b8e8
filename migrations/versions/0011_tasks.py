"""Tasks."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0011'
down_revision = '0010'

NEVER = "'9999-01-01 00:00:00+00'::timestamp with time zone"
RANK = "CASE priority WHEN 'low' THEN 1 WHEN 'normal' THEN 2 WHEN 'high' THEN 3 ELSE 4 END"


def upgrade() -> None:
    op.create_table('tasks',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), nullable=True),
    sa.Column('parent_id', sa.BigInteger(), nullable=True),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('words', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.Text(), server_default='todo', nullable=False),
    sa.Column('priority', sa.Text(), server_default='normal', nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('depth', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('parent_depth', sa.SmallInteger(), sa.Computed('depth - 1', persisted=True), nullable=False),
    sa.Column('parent_key', sa.BigInteger(), sa.Computed('COALESCE(parent_id, 0::bigint)', persisted=True), nullable=False),
    sa.Column('project_key', sa.BigInteger(), sa.Computed('COALESCE(project_id, 0::bigint)', persisted=True), nullable=False),
    sa.Column('priority_rank', sa.SmallInteger(), sa.Computed(RANK, persisted=True), nullable=False),
    sa.Column('due_key', sa.DateTime(timezone=True), sa.Computed(f'COALESCE(due_at, {NEVER})', persisted=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status in ('todo', 'in_progress', 'blocked', 'done')", name=op.f('ck_tasks_status')),
    sa.CheckConstraint("priority in ('low', 'normal', 'high', 'urgent')", name=op.f('ck_tasks_priority')),
    sa.CheckConstraint("(completed_at IS NOT NULL) = (status = 'done')", name=op.f('ck_tasks_completed_at')),
    sa.CheckConstraint('depth BETWEEN 1 AND 5', name=op.f('ck_tasks_depth')),
    sa.CheckConstraint('(parent_id IS NULL) = (depth = 1)', name=op.f('ck_tasks_parent_id')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_tasks_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_tasks_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_tasks_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks')),
    sa.UniqueConstraint('id', 'depth', 'project_key', 'organization_id', name=op.f('uq_tasks_id_depth_project_key_organization_id')),
    sa.UniqueConstraint('organization_id', 'project_key', 'parent_key', 'position', name=op.f('uq_tasks_organization_id_project_key_parent_key_position'), deferrable=True, initially='IMMEDIATE'),
    )
    op.create_foreign_key(op.f('fk_tasks_parent_id_parent_depth_project_key_organization_id'), 'tasks', 'tasks', ['parent_id', 'parent_depth', 'project_key', 'organization_id'], ['id', 'depth', 'project_key', 'organization_id'], ondelete='CASCADE')
    op.create_index(op.f('ix_tasks_parent_id_parent_depth_project_key_organization_id'), 'tasks', ['parent_id', 'parent_depth', 'project_key', 'organization_id'], unique=False)
    op.create_index('ix_tasks_project', 'tasks', ['project_id', 'position', 'id'], unique=False, postgresql_include=['status', 'deleted_at'])
    op.create_index(op.f('ix_tasks_user_id'), 'tasks', ['user_id'], unique=False)
    op.create_index('ix_tasks_created', 'tasks', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text('deleted_at IS NULL'), postgresql_include=['project_key'])
    op.create_index('ix_tasks_updated', 'tasks', ['organization_id', sa.literal_column('updated_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text('deleted_at IS NULL'), postgresql_include=['project_key'])
    op.create_index('ix_tasks_due', 'tasks', ['organization_id', sa.literal_column('due_key'), sa.literal_column('id')], unique=False, postgresql_where=sa.text('deleted_at IS NULL'), postgresql_include=['project_key'])
    op.create_index('ix_tasks_priority', 'tasks', ['organization_id', sa.literal_column('priority_rank DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text('deleted_at IS NULL'), postgresql_include=['project_key'])
    op.create_index('ix_tasks_trash', 'tasks', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_where=sa.text('deleted_at IS NOT NULL'), postgresql_include=['project_key'])
    op.create_index('ix_tasks_deleted_at', 'tasks', ['deleted_at'], unique=False, postgresql_where=sa.text('deleted_at IS NOT NULL'))


def downgrade() -> None:
    op.drop_table('tasks')
