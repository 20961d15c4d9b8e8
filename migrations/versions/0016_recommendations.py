"""Recommendations, feedback, and the vectors of projects and tasks."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects import postgresql

revision = '0016'
down_revision = '0015'

SLOT = "CASE kind WHEN 'opened' THEN 'opened' WHEN 'saved' THEN 'saved' ELSE 'verdict' END"


def upgrade() -> None:
    op.create_table('subject_embeddings',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), nullable=True),
    sa.Column('task_id', sa.BigInteger(), nullable=True),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('embedding', HALFVEC(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('(project_id IS NULL) <> (task_id IS NULL)', name=op.f('ck_subject_embeddings_subject')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_subject_embeddings_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_subject_embeddings_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], name=op.f('fk_subject_embeddings_task_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subject_embeddings'))
    )
    op.create_index(op.f('ix_subject_embeddings_organization_id'), 'subject_embeddings', ['organization_id'], unique=False)
    op.create_index('uq_subject_embeddings_project_id_model', 'subject_embeddings', ['project_id', 'model'], unique=True)
    op.create_index('uq_subject_embeddings_task_id_model', 'subject_embeddings', ['task_id', 'model'], unique=True)
    op.create_table('recommendation_sets',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), nullable=True),
    sa.Column('task_id', sa.BigInteger(), nullable=True),
    sa.Column('engine', sa.Text(), nullable=False),
    sa.Column('bookmark_ids', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.Column('shares', postgresql.JSONB(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_recommendation_sets_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_recommendation_sets_user_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_recommendation_sets_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], name=op.f('fk_recommendation_sets_task_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recommendation_sets'))
    )
    op.create_index(op.f('ix_recommendation_sets_organization_id'), 'recommendation_sets', ['organization_id'], unique=False)
    op.create_index(op.f('ix_recommendation_sets_user_id'), 'recommendation_sets', ['user_id'], unique=False)
    op.create_index('ix_recommendation_sets_created_at', 'recommendation_sets', ['created_at'], unique=False)
    op.create_index('ix_recommendation_sets_project_id', 'recommendation_sets', ['project_id'], unique=False)
    op.create_index('ix_recommendation_sets_task_id', 'recommendation_sets', ['task_id'], unique=False)
    op.create_table('feedback',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('bookmark_id', sa.BigInteger(), nullable=False),
    sa.Column('project_id', sa.BigInteger(), nullable=True),
    sa.Column('task_id', sa.BigInteger(), nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('recommendation_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('slot', sa.Text(), sa.Computed(SLOT, persisted=True), nullable=False),
    sa.Column('shares', postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("kind in ('relevant', 'not_relevant', 'opened', 'saved', 'dismissed')", name=op.f('ck_feedback_kind')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_feedback_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_feedback_user_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_feedback_bookmark_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['project_id'], ['projects.id'], name=op.f('fk_feedback_project_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], name=op.f('fk_feedback_task_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feedback'))
    )
    op.create_index('uq_feedback_user_id_organization_id_subject_bookmark_id_slot', 'feedback', ['user_id', 'organization_id', 'subject', 'bookmark_id', 'slot'], unique=True)
    op.create_index(op.f('ix_feedback_bookmark_id'), 'feedback', ['bookmark_id'], unique=False)
    op.create_index('ix_feedback_subject', 'feedback', ['organization_id', 'subject', sa.literal_column('updated_at DESC')], unique=False)
    op.create_index('ix_feedback_latest', 'feedback', ['organization_id', sa.literal_column('updated_at DESC'), sa.literal_column('id DESC')], unique=False)
    op.create_index('ix_feedback_created', 'feedback', ['organization_id', 'user_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False)
    op.create_index('ix_feedback_project_id', 'feedback', ['project_id'], unique=False)
    op.create_index('ix_feedback_task_id', 'feedback', ['task_id'], unique=False)
    for table in ('projects', 'tasks'):
        # What is there already waits from now on.
        op.add_column(table, sa.Column('embedding_due_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=True))
    with op.get_context().autocommit_block():
        for table in ('projects', 'tasks'):
            op.create_index(f'ix_{table}_embedding_due', table, ['embedding_due_at'], unique=False, postgresql_where=sa.text('embedding_due_at IS NOT NULL'), postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for table in ('projects', 'tasks'):
            op.drop_index(f'ix_{table}_embedding_due', table_name=table, postgresql_concurrently=True)
    for table in ('projects', 'tasks'):
        op.drop_column(table, 'embedding_due_at')
    op.drop_table('feedback')
    op.drop_table('recommendation_sets')
    op.drop_table('subject_embeddings')
