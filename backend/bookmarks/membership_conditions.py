"""Conditions on the tags and projects of bookmarks: one condition of each kind for any number of keys.

The statement itself resolves keys to ids, each list once; an unknown key matches no bookmark.
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
    """A table that links bookmarks to tags or projects, and the table of these.

    Attributes:
        bookmark_id: The bookmark, in the link table.
        member_id: The tag or project, in the link table.
        id: The id of the tag or project.
        key: The column that names it.
        key_type: The type of `key`.
        where: Conditions on the tags or projects that may be named.
    """

    bookmark_id: ColumnElement[int]
    member_id: ColumnElement[int]
    id: ColumnElement[int]
    key: ColumnElement[Any]
    key_type: type[Any]
    where: tuple[ColumnElement[bool], ...]

    def known(self, keys: Sequence[Key]) -> Select[int]:
        """Build a statement for the ids of keys."""
        value = keys[0] if len(keys) == 1 else any_(literal(list(keys), ARRAY(self.key_type)))
        return select(self.id).where(self.key == value, *self.where)


def tag_membership(organization_id: int) -> LinkTable:
    """Return the links to tags of an organization, whose keys are `tag_key`s."""
    where = (Tag.organization_id == organization_id,)
    columns = Tag.__table__.c
    links = BookmarkTag.__table__.c
    return LinkTable(links.bookmark_id, links.tag_id, columns.id, columns.name_key, Text, where)


def project_membership(organization_id: int) -> LinkTable:
    """Return the links to projects of an organization outside the trash, whose keys are ids."""
    where = (Project.organization_id == organization_id, Project.deleted_at.is_(None))
    columns = Project.__table__.c
    links = ProjectBookmark.__table__.c
    return LinkTable(links.bookmark_id, links.project_id, columns.id, columns.id, BigInteger, where)


def member_of_any(table: LinkTable, keys: Sequence[Key]) -> ColumnElement[bool]:
    """Build a condition for bookmarks with at least one of these tags or projects."""
    linked = select(table.bookmark_id).where(table.bookmark_id == Bookmark.id, _is_one_of(table, keys))
    return linked.correlate(Bookmark).exists()


def member_of_all(table: LinkTable, keys: Sequence[Key]) -> ColumnElement[bool]:
    """Build a condition for bookmarks with every one of these tags or projects; `keys` are distinct."""
    if len(keys) == 1:
        return member_of_any(table, keys)
    linked = select(table.bookmark_id).where(_is_one_of(table, keys)).group_by(table.bookmark_id)
    return Bookmark.id.in_(linked.having(func.count() == len(keys)).correlate(None))


def member_of_each(table: LinkTable, groups: Sequence[Iterable[Key]]) -> ColumnElement[bool]:
    """Build a condition for bookmarks with at least one of each group."""
    if len(groups) == 1:
        return member_of_any(table, list(groups[0]))
    pairs = [(key, group_number) for group_number, group in enumerate(groups) for key in group]
    keys = literal([key for key, _ in pairs], ARRAY(table.key_type))
    group_numbers = literal([group_number for _, group_number in pairs], ARRAY(Integer))
    keyed = func.unnest(keys, group_numbers).table_valued(
        column("key", table.key_type()), column("group_number", Integer())
    )
    keyed_groups = keyed.render_derived("given")
    linked = (
        select(table.bookmark_id)
        .select_from(keyed_groups)
        .join(table.id.table, table.key == keyed_groups.c.key)
        .join(table.bookmark_id.table, table.member_id == table.id)
        .where(*table.where)
        .group_by(table.bookmark_id)
        .having(func.count(distinct(keyed_groups.c.group_number)) == len(groups))
    )
    return Bookmark.id.in_(linked.correlate(None))


def _is_one_of(table: LinkTable, keys: Sequence[Key]) -> ColumnElement[bool]:
    known = table.known(keys)
    if len(keys) == 1:
        return table.member_id == known.scalar_subquery()
    # As an array the ids are looked up once, and the planner does not reorder the subquery among joins.
    return table.member_id == any_(func.array(known.scalar_subquery()))
