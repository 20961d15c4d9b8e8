"""Suggestions while typing: what can be suggested, by the words it holds."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('suggestion_words',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('word', sa.Text(), nullable=False),
    sa.Column('uses', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('near', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.CheckConstraint("kind in ('tag', 'title', 'domain')", name=op.f('ck_suggestion_words_kind')),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_suggestion_words_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion_words'))
    )
    op.create_index('uq_suggestion_words_organization_id_kind_word', 'suggestion_words', ['organization_id', 'kind', 'word'], unique=True, postgresql_ops={'word': 'text_pattern_ops'})
    op.create_index('ix_suggestion_words_letter', 'suggestion_words', ['organization_id', 'kind', sa.literal_column('left(word, 1)'), sa.literal_column('uses DESC')], unique=False)
    op.create_index('ix_suggestion_words_near', 'suggestion_words', ['near'], unique=False, postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.create_table('suggestions',
    sa.Column('id', sa.BigInteger(), nullable=False),
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('rank', sa.BigInteger(), nullable=False),
    sa.Column('bookmark_id', sa.BigInteger(), nullable=True),
    sa.Column('tag_id', sa.BigInteger(), nullable=True),
    sa.Column('word_ids', postgresql.ARRAY(sa.BigInteger()), nullable=False),
    sa.CheckConstraint("kind in ('tag', 'title', 'domain')", name=op.f('ck_suggestions_kind')),
    sa.ForeignKeyConstraint(['bookmark_id'], ['bookmarks.id'], name=op.f('fk_suggestions_bookmark_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_suggestions_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tag_id'], ['tags.id'], name=op.f('fk_suggestions_tag_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestions'))
    )
    op.create_index('uq_suggestions_bookmark_id', 'suggestions', ['bookmark_id'], unique=True)
    op.create_index('uq_suggestions_tag_id', 'suggestions', ['tag_id'], unique=True)
    op.create_index('uq_suggestions_domain', 'suggestions', ['organization_id', 'value'], unique=True, postgresql_where=sa.text("kind = 'domain'"))
    op.create_index('ix_suggestions_rank', 'suggestions', ['organization_id', 'kind', sa.literal_column('rank DESC'), sa.literal_column('id DESC')], unique=False)
    op.create_index('ix_suggestions_word_ids', 'suggestions', ['word_ids'], unique=False, postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.create_table('suggestion_states',
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('refreshed_to', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_suggestion_states_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_suggestion_states'))
    )
    with op.get_context().autocommit_block():
        op.create_index('ix_bookmarks_title_prefix', 'bookmarks', ['organization_id', 'title_key'], unique=False, postgresql_ops={'title_key': 'text_pattern_ops'}, postgresql_where=sa.text('deleted_at IS NULL'), postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index('ix_bookmarks_title_prefix', table_name='bookmarks', postgresql_concurrently=True)
    op.drop_table('suggestion_states')
    op.drop_table('suggestions')
    op.drop_table('suggestion_words')
