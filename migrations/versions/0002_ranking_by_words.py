"""Ranking by words: impacts beside the words of a document, and what is counted over all documents."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from pgvector.sqlalchemy import SPARSEVEC

revision = '0002'
down_revision = '0001'

IMPACTS = SPARSEVEC(1_000_000_000)
EMPTY = sa.text("'{}/1000000000'")


def upgrade() -> None:
    op.create_table('search_statistics',
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('documents', sa.BigInteger(), nullable=False),
    sa.Column('pages', sa.BigInteger(), nullable=False),
    sa.Column('terms', sa.BigInteger(), nullable=False),
    sa.Column('generation', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('average', sa.REAL(), nullable=False),
    sa.Column('page_average', sa.REAL(), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_search_statistics_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', name=op.f('pk_search_statistics'))
    )
    op.create_table('search_terms',
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('term', sa.Integer(), nullable=False),
    sa.Column('documents', sa.Integer(), nullable=False),
    sa.Column('champions', sa.ARRAY(sa.BigInteger()), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_search_terms_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'term', name=op.f('pk_search_terms'))
    )
    op.create_table('search_languages',
    sa.Column('organization_id', sa.BigInteger(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_search_languages_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organization_id', 'language', name=op.f('pk_search_languages'))
    )
    for table, name in (('bookmark_documents', 'page_impacts'), ('bookmark_contents', 'impacts')):
        is_document = table == 'bookmark_documents'
        op.add_column(table, sa.Column(name, IMPACTS, server_default=None if is_document else EMPTY, nullable=is_document))
        # A page's impacts are read whole, some thousands of them in a search: decompressing them would take longer.
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {name} SET STORAGE EXTERNAL")
    op.add_column('bookmark_contents', sa.Column('length', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('bookmark_contents', sa.Column('average', sa.REAL(), server_default='0', nullable=False))
    op.add_column('bookmark_documents', sa.Column('impacts', IMPACTS, server_default=EMPTY, nullable=False))
    # The document goes out of line before them.
    op.execute("ALTER TABLE bookmark_documents ALTER COLUMN impacts SET STORAGE MAIN")
    op.add_column('bookmark_documents', sa.Column('length', sa.REAL(), server_default='0', nullable=False))
    op.add_column('bookmark_documents', sa.Column('average', sa.REAL(), server_default='0', nullable=False))
    op.add_column('bookmark_documents', sa.Column('written_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    # The list of what is still to be put into the index, which every search reads, is emptied first.
    op.execute("ALTER INDEX ix_bookmark_documents_document SET (fastupdate = off)")
    op.execute("SELECT gin_clean_pending_list('ix_bookmark_documents_document')")
    # The words of old documents were found another way: the worker writes them all anew.
    op.execute("UPDATE bookmarks SET document_due_at = now()")
    with op.get_context().autocommit_block():
        op.create_index('ix_bookmark_documents_organization_id_written_at', 'bookmark_documents', ['organization_id', 'written_at'], unique=False, postgresql_concurrently=True, if_not_exists=True)
        op.drop_index('ix_bookmark_documents_organization_id', table_name='bookmark_documents', postgresql_concurrently=True, if_exists=True)
        op.create_index('ix_bookmarks_document_due', 'bookmarks', ['document_due_at'], unique=False, postgresql_where=sa.text('document_due_at IS NOT NULL'), postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index('ix_bookmarks_document_due', table_name='bookmarks', postgresql_concurrently=True, if_exists=True)
        op.create_index('ix_bookmark_documents_organization_id', 'bookmark_documents', ['organization_id'], unique=False, postgresql_concurrently=True, if_not_exists=True)
        op.drop_index('ix_bookmark_documents_organization_id_written_at', table_name='bookmark_documents', postgresql_concurrently=True, if_exists=True)
    op.execute("ALTER INDEX ix_bookmark_documents_document RESET (fastupdate)")
    for name in ('written_at', 'average', 'length', 'impacts', 'page_impacts'):
        op.drop_column('bookmark_documents', name)
    for name in ('average', 'length', 'impacts'):
        op.drop_column('bookmark_contents', name)
    op.drop_table('search_languages')
    op.drop_table('search_terms')
    op.drop_table('search_statistics')
    op.execute("UPDATE bookmarks SET document_due_at = now()")
