"""Conditions on what bookmarks belong to, tags and projects: however many are named, one condition of each kind.

Names are resolved within the statement, each list of them once; a name that stands for nothing is carried by nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    any_,
    column,
    distinct,
    func,
    literal,
    select,
)

from backend.bookmarks.models import Bookmark, BookmarkTag, Tag
from backend.projects.models import Project, ProjectBookmark

Key = str | int


@dataclass(frozen=True, eq=False)
class LinkTable:
    """What bookmarks may belong to.

    Attributes:
        bookmark_id: Of the table that says which belongs to which, the bookmark,
        member_id: and what it belongs to.
        id: The id of that,
        key: what it is named by,
        key_type: which is of this type.
        where: Which of them may be named.
    """

    bookmark_id: ColumnElement[int]
    member_id: ColumnElement[int]
    id: ColumnElement[int]
    key: ColumnElement[Any]
    key_type: type[Any]
    where: tuple[ColumnElement[bool], ...]

    def known(self, keys: Sequence[Key]) -> Select[int]:
        """The ids that keys stand for."""
        value = keys[0] if len(keys) == 1 else any_(literal(list(keys), ARRAY(self.key_type)))
        return select(self.id).where(self.key == value, *self.where)


def tag_membership(organization_id: int) -> LinkTable:
    """The tags of an organization, by `tag_key`."""
    where = (Tag.organization_id == organization_id,)
    columns = Tag.__table__.c
    links = BookmarkTag.__table__.c
    return LinkTable(links.bookmark_id, links.tag_id, columns.id, columns.name_key, Text, where)


def project_membership(organization_id: int) -> LinkTable:
    """The projects of an organization outside the trash, by id."""
    where = (Project.organization_id == organization_id, Project.deleted_at.is_(None))
    columns = Project.__table__.c
    links = ProjectBookmark.__table__.c
    return LinkTable(links.bookmark_id, links.project_id, columns.id, columns.id, BigInteger, where)


def member_of_any(kind: LinkTable, keys: Sequence[Key]) -> ColumnElement[bool]:
    """Bookmarks that belong to one of these at least."""
    found = select(kind.bookmark_id).where(kind.bookmark_id == Bookmark.id, _is_one_of(kind, keys))
    return found.correlate(Bookmark).exists()


def member_of_all(kind: LinkTable, keys: Sequence[Key]) -> ColumnElement[bool]:
    """Bookmarks that belong to every one of these; `keys` are distinct."""
    if len(keys) == 1:
        return member_of_any(kind, keys)
    found = select(kind.bookmark_id).where(_is_one_of(kind, keys)).group_by(kind.bookmark_id)
    return Bookmark.id.in_(found.having(func.count() == len(keys)).correlate(None))


def member_of_each(kind: LinkTable, groups: Sequence[Iterable[Key]]) -> ColumnElement[bool]:
    """Bookmarks that belong to one at least of each group."""
    if len(groups) == 1:
        return member_of_any(kind, list(groups[0]))
    pairs = [(key, place) for place, group in enumerate(groups) for key in group]
    keys = literal([key for key, _ in pairs], ARRAY(kind.key_type))
    places = literal([place for _, place in pairs], ARRAY(Integer))
    given = func.unnest(keys, places).table_valued(column("key", kind.key_type()), column("place", Integer()))
    named = given.render_derived("given")
    found = (
        select(kind.bookmark_id)
        .select_from(named)
        .join(kind.id.table, kind.key == named.c.key)
        .join(kind.bookmark_id.table, kind.member_id == kind.id)
        .where(*kind.where)
        .group_by(kind.bookmark_id)
        .having(func.count(distinct(named.c.place)) == len(groups))
    )
    return Bookmark.id.in_(found.correlate(None))


def _is_one_of(kind: LinkTable, keys: Sequence[Key]) -> ColumnElement[bool]:
    known = kind.known(keys)
    if len(keys) == 1:
        return kind.member_id == known.scalar_subquery()
    # As an array the ids are looked up once, and nothing of it takes part in the order of joins.
    return kind.member_id == any_(func.array(known.scalar_subquery()))
