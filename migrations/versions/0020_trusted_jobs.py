"""With which API token a job was asked for, and of which organizations an export holds texts."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0020'
down_revision = '0018'


def upgrade() -> None:
    # No foreign key: that a token is gone must still show.
    op.add_column('jobs', sa.Column('token_id', sa.BigInteger(), nullable=True))
    op.add_column('exports', sa.Column('organization_ids', sa.ARRAY(sa.BigInteger()), server_default='{}', nullable=False))
    op.execute("""
        UPDATE exports SET organization_ids = ARRAY(
            SELECT organization_id FROM memberships WHERE memberships.user_id = exports.user_id)
    """)


def downgrade() -> None:
    op.drop_column('exports', 'organization_ids')
    op.drop_column('jobs', 'token_id')
