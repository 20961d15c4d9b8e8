"""When a bookmark was read: set where an unread one is marked as read, whoever does it.

What was read before, and what came in as read, has no such time.
"""

from __future__ import annotations

from alembic import op
import sqlalchemy as sa

revision = '0037'
down_revision = '0036'

FUNCTION = """
CREATE FUNCTION note_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.read_at := CASE WHEN NEW.is_read THEN now() END;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER note_reading BEFORE UPDATE OF is_read ON bookmarks FOR EACH ROW
    WHEN (NEW.is_read IS DISTINCT FROM OLD.is_read) EXECUTE FUNCTION note_reading()
"""


def upgrade() -> None:
    op.add_column('bookmarks', sa.Column('read_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_bookmarks_read_at', 'bookmarks', ['organization_id', 'read_at'], unique=False, postgresql_where=sa.text('deleted_at IS NULL AND read_at IS NOT NULL'), postgresql_include=['user_id'])
    op.execute(FUNCTION)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER note_reading ON bookmarks")
    op.execute("DROP FUNCTION note_reading()")
    op.drop_index('ix_bookmarks_read_at', table_name='bookmarks')
    op.drop_column('bookmarks', 'read_at')
