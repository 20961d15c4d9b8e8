"""Names and addresses are compared without what cannot be seen, and domains with their letters."""

from __future__ import annotations

import re
import unicodedata

from alembic import op
import idna
import sqlalchemy as sa

revision = '0015'
down_revision = '0014'

# As backend/auth/names.py had it when this was written.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
PLACES = (('users', 'email_key'), ('users', 'username_key'), ('invitations', 'email_key'), ('mail_tokens', 'email'))


def upgrade() -> None:
    connection = op.get_bind()
    for table, column in PLACES:
        found = sa.text(f"SELECT id, {column} FROM {table} WHERE {column} ~ :odd")
        for row_id, before in connection.execute(found, {'odd': f'[{INVISIBLE}]|@.*xn--'}).all():
            after = folded(before)
            if after and after != before:
                move(connection, table, column, row_id, after)


def folded(key: str) -> str:
    """What the key is now."""
    local, at, domain = key.rpartition('@')
    if at and 'xn--' in domain:
        try:
            key = f"{local}@{unicodedata.normalize('NFKC', idna.decode(domain).casefold())}"
        except idna.IDNAError:
            pass
    return re.sub(f'[{INVISIBLE}]', '', key)


def move(connection: sa.Connection, table: str, column: str, row_id: int, after: str) -> None:
    """Give a row its key; whoever has it already keeps it, and so does this row its own."""
    same = 'AND other.organization_id = mine.organization_id' if table == 'invitations' else ''
    free = f"NOT EXISTS (SELECT 1 FROM {table} other WHERE other.{column} = :after {same})"
    condition = 'TRUE' if table == 'mail_tokens' else free
    connection.execute(
        sa.text(f"UPDATE {table} mine SET {column} = :after WHERE mine.id = :id AND {condition}"),
        {'after': after, 'id': row_id},
    )


def downgrade() -> None:
    """The keys stay: what was taken away is not known any more, and they are as good as the earlier ones."""
