"""What a common word weighs in its champions, and since when documents are none of them."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    op.add_column('search_statistics', sa.Column('counted_generation', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('search_terms', sa.Column('champion_impacts', sa.ARRAY(sa.REAL()), nullable=True))
    _count_anew()


def downgrade() -> None:
    op.drop_column('search_terms', 'champion_impacts')
    op.drop_column('search_statistics', 'counted_generation')
    _count_anew()


def _count_anew() -> None:
    # Until the worker has counted, within minutes, searches count for themselves.
    op.execute("DELETE FROM search_terms")
    op.execute("UPDATE search_statistics SET terms = 0, counted_at = 'epoch'")
