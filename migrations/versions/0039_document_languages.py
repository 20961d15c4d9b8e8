"""The language of each search document, and how many an organization has of each: rarity is counted among the texts that
can hold a word. Documents from before have none until they are written again, and count for every language.
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0039'
down_revision = '0038'


def upgrade() -> None:
    op.add_column('bookmark_documents', sa.Column('language', sa.Text(), nullable=True))
    op.add_column('search_statistics', sa.Column('languages', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    op.drop_column('search_statistics', 'languages')
    op.drop_column('bookmark_documents', 'language')
