"""Preferences of people: their time zone and the first day of their weeks."""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0035'
down_revision = '0034'


def upgrade() -> None:
    op.add_column('users', sa.Column('time_zone', sa.Text(), server_default='UTC', nullable=False))
    op.add_column('users', sa.Column('week_start', sa.Text(), server_default='monday', nullable=False))
    op.create_check_constraint(op.f('ck_users_week_start'), 'users', "week_start in ('monday', 'sunday', 'saturday')")


def downgrade() -> None:
    op.drop_column('users', 'week_start')
    op.drop_column('users', 'time_zone')
