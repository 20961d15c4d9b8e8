"""Sessions know when each of their last refresh tokens was replaced, not only the one before."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    op.add_column('sessions', sa.Column('recent_rotations', sa.ARRAY(sa.DateTime(timezone=True)), server_default=sa.text("'{}'"), nullable=False))
    # The token that was replaced a moment ago goes on giving its successor.
    op.execute("""
        UPDATE sessions SET recent_rotations = ARRAY[rotated_at]
         WHERE previous_token_hash IS NOT NULL AND rotated_at > now() - interval '1 minute'
    """)
    op.drop_column('sessions', 'previous_token_hash')


def downgrade() -> None:
    op.add_column('sessions', sa.Column('previous_token_hash', sa.LargeBinary(), nullable=True))
    op.drop_column('sessions', 'recent_rotations')
