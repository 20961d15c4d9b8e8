"""Vectors at half precision under an index of nearest neighbours; who waits for a vector, by organization."""

from __future__ import annotations

from alembic import op
from pgvector.sqlalchemy import HALFVEC, Vector
import sqlalchemy as sa

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.alter_column('bookmark_embeddings', 'embedding', existing_type=Vector(), type_=HALFVEC(),
                    existing_nullable=False, postgresql_using='embedding::halfvec')
    # Up to 4,000 numbers stay in the row; out of line, every comparison would look up another table.
    op.execute("ALTER TABLE bookmark_embeddings ALTER COLUMN embedding SET STORAGE MAIN")
    with op.get_context().autocommit_block():
        op.create_index('ix_bookmarks_embedding_waiting', 'bookmarks', ['organization_id'],
                        postgresql_where=sa.text('embedding_due_at IS NOT NULL'),
                        postgresql_concurrently=True, if_not_exists=True)
        op.create_index('ix_bookmark_embeddings_nearest_384', 'bookmark_embeddings',
                        [sa.literal_column('(embedding::halfvec(384)) halfvec_cosine_ops')],
                        postgresql_using='hnsw', postgresql_with={'m': 16, 'ef_construction': 64},
                        postgresql_where=sa.text('dimension = 384'),
                        postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index('ix_bookmark_embeddings_nearest_384', table_name='bookmark_embeddings',
                      postgresql_concurrently=True, if_exists=True)
        op.drop_index('ix_bookmarks_embedding_waiting', table_name='bookmarks',
                      postgresql_concurrently=True, if_exists=True)
    op.alter_column('bookmark_embeddings', 'embedding', existing_type=HALFVEC(), type_=Vector(),
                    existing_nullable=False, postgresql_using='embedding::vector')
    op.execute("ALTER TABLE bookmark_embeddings ALTER COLUMN embedding SET STORAGE EXTERNAL")
