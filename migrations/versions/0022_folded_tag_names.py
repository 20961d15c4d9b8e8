"""Names of tags are composed, with blanks of all kinds folded to one; tags that became the same are united."""

from __future__ import annotations

from collections.abc import Sequence
import re
import unicodedata

from alembic import op
import sqlalchemy as sa

revision = '0022'
down_revision = '0020'

# As backend/bookmarks/names.py had it when this was written.
BLANK = re.compile("[\\s\u180e\u200b\u2060\u2800\u3164\ufeff\uffa0]+")
# Of which none is left a name.
NAMELESS = 'unnamed'
# What is of printable ASCII with single spaces between is folded already.
ODD = "name !~ '^[!-~]+( [!-~]+)*$'"
UNITE = """
INSERT INTO bookmark_tags (bookmark_id, tag_id, position)
SELECT bookmark_id, :into, min(position) FROM bookmark_tags WHERE tag_id = ANY(:tags) GROUP BY bookmark_id
ON CONFLICT DO NOTHING
"""
# To clients they have changed, and the worker writes their search documents.
TOUCH = """
UPDATE bookmarks SET updated_at = now(), document_due_at = now()
 WHERE id IN (SELECT bookmark_id FROM bookmark_tags WHERE tag_id = ANY(:tags))
"""


def upgrade() -> None:
    connection = op.get_bind()
    odd = connection.execute(sa.text(f"SELECT id, organization_id, name, name_key FROM tags WHERE {ODD} ORDER BY id"))
    groups: dict[tuple[int, str], list[sa.Row]] = {}
    for tag in odd.all():
        groups.setdefault((tag.organization_id, tag_key(named(tag.name))), []).append(tag)
    for (organization_id, key), tags in groups.items():
        if len(tags) == 1 and (tags[0].name, tags[0].name_key) == (named(tags[0].name), key):
            continue
        fold(connection, organization_id, key, tags)


def fold(connection: sa.Connection, organization_id: int, key: str, tags: Sequence[sa.Row]) -> None:
    """Put one tag in the place of all that have become the same: the one that has the key already, else the oldest."""
    has_key = "SELECT id, name FROM tags WHERE organization_id = :organization_id AND name_key = :key"
    owner = connection.execute(sa.text(has_key), {'organization_id': organization_id, 'key': key}).one_or_none()
    into, name = (owner.id, named(owner.name)) if owner else (tags[0].id, named(tags[0].name))
    others = [tag.id for tag in tags if tag.id != into]
    connection.execute(sa.text(TOUCH), {'tags': [into, *others]})
    if others:
        connection.execute(sa.text(UNITE), {'into': into, 'tags': others})
        connection.execute(sa.text("DELETE FROM tags WHERE id = ANY(:tags)"), {'tags': others})
    connection.execute(
        sa.text("UPDATE tags SET name = :name, name_key = :key WHERE id = :id"), {'name': name, 'key': key, 'id': into}
    )


def named(name: str) -> str:
    """The name as it is now."""
    return BLANK.sub(" ", unicodedata.normalize("NFC", name)).strip(" ") or NAMELESS


def tag_key(name: str) -> str:
    """The form in which names are compared now."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def downgrade() -> None:
    """The names stay: how they were written before is not known any more, and they are as good as the earlier ones."""
