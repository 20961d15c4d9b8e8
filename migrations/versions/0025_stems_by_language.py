"""Stems name their language: every search document and page is indexed again by the worker, while search goes on."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0025'
down_revision = '0024'

BATCH = 5_000
# As `UNMARKED` in backend/bookmarks/analysis/terms.py: until all documents are written, queries also ask for stems that
# name no language.
MARKER = '*'


def upgrade() -> None:
    op.execute(f"INSERT INTO search_languages (organization_id, language) SELECT id, '{MARKER}' FROM organizations ON CONFLICT DO NOTHING")
    _index_all_again()


def downgrade() -> None:
    op.execute(f"DELETE FROM search_languages WHERE language = '{MARKER}'")
    _index_all_again()


def _index_all_again() -> None:
    # In batches, each its own transaction: nobody waits for the whole table.
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        after = 0
        while after is not None:
            after = connection.execute(sa.text("""
                WITH batch AS (SELECT id FROM bookmarks WHERE id > :after ORDER BY id LIMIT :batch),
                     marked AS (UPDATE bookmarks b SET document_due_at = now() FROM batch WHERE b.id = batch.id)
                SELECT max(id) FROM batch
            """), {'after': after, 'batch': BATCH}).scalar()
