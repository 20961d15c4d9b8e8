"""The mean length of an organization's documents in each language: texts of one language are as long as they are, however
long those of another are that stand beside them. Until the next refresh the mean of all counts.
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0041'
down_revision = '0040'


def upgrade() -> None:
    op.add_column('search_statistics', sa.Column('averages', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    op.drop_column('search_statistics', 'averages')
