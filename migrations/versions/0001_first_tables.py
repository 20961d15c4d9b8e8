"""First tables: accounts, bookmarks, tags, jobs."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table('organizations',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('personal', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organizations'))
    )
    op.create_index('uq_organizations_slug', 'organizations', [sa.literal_column('lower(slug)')], unique=True)
    op.create_table('tags',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_key', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_tags_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tags'))
    )
    op.create_index('ix_tags_prefix', 'tags', ['organization_id', 'name_key'], unique=False, postgresql_ops={'name_key': 'text_pattern_ops'})
    op.create_index('uq_tags_organization_id_name_key', 'tags', ['organization_id', 'name_key'], unique=True)
    op.create_table('users',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('email_key', sa.Text(), nullable=False),
    sa.Column('username', sa.Text(), nullable=False),
    sa.Column('username_key', sa.Text(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('personal_organization_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("role in ('user', 'admin')", name=op.f('ck_users_role')),
    sa.ForeignKeyConstraint(['personal_organization_id'], ['organizations.id'], name=op.f('fk_users_personal_organization_id'), ondelete='RESTRICT'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('email_key', name=op.f('uq_users_email_key')),
    sa.UniqueConstraint('personal_organization_id', name=op.f('uq_users_personal_organization_id')),
    sa.UniqueConstraint('username_key', name=op.f('uq_users_username_key'))
    )
    op.create_table('bookmarks',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('url_hash', sa.LargeBinary(), nullable=False),
    sa.Column('domain', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), server_default='', nullable=False),
    sa.Column('title_key', sa.Text(), server_default='', nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('notes', sa.Text(), server_default='', nullable=False),
    sa.Column('site_name', sa.Text(), nullable=True),
    sa.Column('author', sa.Text(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('image_url', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('word_count', sa.BigInteger(), nullable=True),
    sa.Column('is_read', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('is_favorite', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('is_archived', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('capture_status', sa.Text(), nullable=False),
    sa.Column('capture_error', sa.Text(), nullable=True),
    sa.Column('capture_attempts', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('capture_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('captured_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('embedding_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('document_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("capture_status in ('pending', 'captured', 'failed', 'skipped')", name=op.f('ck_bookmarks_capture_status')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_bookmarks_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_bookmarks_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bookmarks'))
    )
    op.create_index('ix_bookmarks_capture_due', 'bookmarks', ['capture_due_at'], unique=False, postgresql_where=sa.text("capture_status = 'pending'"))
    op.create_index('ix_bookmarks_created', 'bookmarks', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_include=['is_archived'], postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('ix_bookmarks_deleted_at', 'bookmarks', ['deleted_at'], unique=False, postgresql_where=sa.text('deleted_at IS NOT NULL'))
    op.create_index('ix_bookmarks_domain', 'bookmarks', ['organization_id', sa.literal_column('domain'), sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_include=['is_archived'], postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('ix_bookmarks_embedding_due', 'bookmarks', ['embedding_due_at'], unique=False, postgresql_where=sa.text('embedding_due_at IS NOT NULL'))
    op.create_index(op.f('ix_bookmarks_organization_id'), 'bookmarks', ['organization_id'], unique=False)
    op.create_index('ix_bookmarks_title', 'bookmarks', ['organization_id', sa.literal_column('title_key'), sa.literal_column('id')], unique=False, postgresql_include=['is_archived'], postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index('ix_bookmarks_trash', 'bookmarks', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_include=['is_archived'], postgresql_where=sa.text('deleted_at IS NOT NULL'))
    op.create_index('ix_bookmarks_updated', 'bookmarks', ['organization_id', sa.literal_column('updated_at DESC'), sa.literal_column('id DESC')], unique=False, postgresql_include=['is_archived'], postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_index(op.f('ix_bookmarks_user_id'), 'bookmarks', ['user_id'], unique=False)
    op.create_index('uq_bookmarks_organization_id_url_hash', 'bookmarks', ['organization_id', 'url_hash'], unique=True, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_table('jobs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('arguments', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('status', sa.Text(), server_default='queued', nullable=False),
    sa.Column('done', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('total', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('message', sa.Text(), server_default='', nullable=False),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('attempts', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('request_id', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('run_after', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f('ck_jobs_status')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_jobs_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_jobs_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs'))
    )
    op.create_index('ix_jobs_due', 'jobs', ['run_after'], unique=False, postgresql_where=sa.text("status in ('queued', 'running')"))
    op.create_index('ix_jobs_organization_id_created_at_id', 'jobs', ['organization_id', sa.literal_column('created_at DESC'), sa.literal_column('id DESC')], unique=False)
    op.create_index(op.f('ix_jobs_user_id'), 'jobs', ['user_id'], unique=False)
    op.create_table('memberships',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("role in ('owner', 'editor', 'viewer')", name=op.f('ck_memberships_role')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_memberships_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_memberships_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'organization_id', name=op.f('pk_memberships'))
    )
    op.create_index(op.f('ix_memberships_organization_id'), 'memberships', ['organization_id'], unique=False)
    op.create_table('sessions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('refresh_token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_agent', sa.Text(), nullable=False),
    sa.Column('ip', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sessions_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions'))
    )
    op.create_index(op.f('ix_sessions_expires_at'), 'sessions', ['expires_at'], unique=False)
    op.create_index(op.f('ix_sessions_user_id'), 'sessions', ['user_id'], unique=False)
    op.create_table('bookmark_contents',
    sa.Column('bookmark_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.Text(), server_default='', nullable=False),
    sa.Column('byline', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=False),
    sa.Column('word_count', sa.BigInteger(), nullable=False),
    sa.Column('vector', postgresql.TSVECTOR(), nullable=False),
    sa.Column('captured_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_bookmark_contents_bookmark_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('bookmark_id', name=op.f('pk_bookmark_contents'))
    )
    op.create_table('bookmark_documents',
    sa.Column('bookmark_id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('document', postgresql.TSVECTOR(), nullable=False),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_bookmark_documents_bookmark_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_bookmark_documents_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('bookmark_id', name=op.f('pk_bookmark_documents'))
    )
    op.create_index('ix_bookmark_documents_document', 'bookmark_documents', ['document'], unique=False, postgresql_using='gin')
    op.create_index(op.f('ix_bookmark_documents_organization_id'), 'bookmark_documents', ['organization_id'], unique=False)
    op.create_table('bookmark_embeddings',
    sa.Column('bookmark_id', sa.BigInteger(), nullable=False),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('dimension', sa.BigInteger(), nullable=False),
    sa.Column('embedding', Vector(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_bookmark_embeddings_bookmark_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_bookmark_embeddings_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('bookmark_id', 'model', name=op.f('pk_bookmark_embeddings'))
    )
    op.create_index('ix_bookmark_embeddings_organization_id_model', 'bookmark_embeddings', ['organization_id', 'model'], unique=False)
    op.create_table('bookmark_tags',
    sa.Column('bookmark_id', sa.BigInteger(), nullable=False),
    sa.Column('tag_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.SmallInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_bookmark_tags_bookmark_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tag_id'], ['tags.id'], name=op.f('fk_bookmark_tags_tag_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('bookmark_id', 'tag_id', name=op.f('pk_bookmark_tags'))
    )
    op.create_index('ix_bookmark_tags_tag_id_bookmark_id', 'bookmark_tags', ['tag_id', 'bookmark_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_bookmark_tags_tag_id_bookmark_id', table_name='bookmark_tags')
    op.drop_table('bookmark_tags')
    op.drop_index('ix_bookmark_embeddings_organization_id_model', table_name='bookmark_embeddings')
    op.drop_table('bookmark_embeddings')
    op.drop_index(op.f('ix_bookmark_documents_organization_id'), table_name='bookmark_documents')
    op.drop_index('ix_bookmark_documents_document', table_name='bookmark_documents', postgresql_using='gin')
    op.drop_table('bookmark_documents')
    op.drop_table('bookmark_contents')
    op.drop_index(op.f('ix_sessions_user_id'), table_name='sessions')
    op.drop_index(op.f('ix_sessions_expires_at'), table_name='sessions')
    op.drop_table('sessions')
    op.drop_index(op.f('ix_memberships_organization_id'), table_name='memberships')
    op.drop_table('memberships')
    op.drop_index(op.f('ix_jobs_user_id'), table_name='jobs')
    op.drop_index('ix_jobs_organization_id_created_at_id', table_name='jobs')
    op.drop_index('ix_jobs_due', table_name='jobs', postgresql_where=sa.text("status in ('queued', 'running')"))
    op.drop_table('jobs')
    op.drop_index('uq_bookmarks_organization_id_url_hash', table_name='bookmarks', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index(op.f('ix_bookmarks_user_id'), table_name='bookmarks')
    op.drop_index('ix_bookmarks_updated', table_name='bookmarks', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('ix_bookmarks_trash', table_name='bookmarks', postgresql_where=sa.text('deleted_at IS NOT NULL'))
    op.drop_index('ix_bookmarks_title', table_name='bookmarks', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index(op.f('ix_bookmarks_organization_id'), table_name='bookmarks')
    op.drop_index('ix_bookmarks_embedding_due', table_name='bookmarks', postgresql_where=sa.text('embedding_due_at IS NOT NULL'))
    op.drop_index('ix_bookmarks_domain', table_name='bookmarks', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('ix_bookmarks_deleted_at', table_name='bookmarks', postgresql_where=sa.text('deleted_at IS NOT NULL'))
    op.drop_index('ix_bookmarks_created', table_name='bookmarks', postgresql_where=sa.text('deleted_at IS NULL'))
    op.drop_index('ix_bookmarks_capture_due', table_name='bookmarks', postgresql_where=sa.text("capture_status = 'pending'"))
    op.drop_table('bookmarks')
    op.drop_table('users')
    op.drop_index('uq_tags_organization_id_name_key', table_name='tags')
    op.drop_index('ix_tags_prefix', table_name='tags', postgresql_ops={'name_key': 'text_pattern_ops'})
    op.drop_table('tags')
    op.drop_index('uq_organizations_slug', table_name='organizations')
    op.drop_table('organizations')
