"""Which bookmarks an export holds, read in batches while it is sent.

Ids come in pages by keyset, whole rows in batches of bounded size. Each read is a short transaction of its own, so that
a slow client holds neither a connection nor a snapshot. What is saved meanwhile may be in the file; what is deleted
for good meanwhile is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from backend.actor import Actor
from backend.auth.memberships import role_in
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.queries import id_in, select_bookmarks
from backend.database import read_by_keyset
from backend.errors import NotFound
from backend.extensions import db
from backend.redis.leased_slots import LeasedSlot

# Of one person: each holds a thread of the server as long as its client reads.
MOST_AT_ONCE = 2
RETRY_SECONDS = 15
PAGE = 10_000
BATCH = 200
# Long texts of one batch in memory, but for a single bookmark with more.
BATCH_BYTES = 1024 * 1024

T = TypeVar("T")
Batch = Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class Sized:
    """A bookmark's id, and how many bytes its long texts take."""

    id: int
    size: int


@dataclass(frozen=True)
class ExportSelection:
    """What an export holds, as its actor may see it.

    Attributes:
        app: The application, whose request is over while the file is sent.
        actor: Who exports.
        conditions: Which bookmarks.
        first: The first page of them, read while the request could still be refused.
        has_filters: Whether these are not all bookmarks outside the trash.
        with_pages: Whether the captured pages belong to it.
        slot: Held while the file is sent.
    """

    app: Flask
    actor: Actor
    conditions: Sequence[ColumnElement[bool]]
    first: Sequence[Sized]
    has_filters: bool
    with_pages: bool
    slot: LeasedSlot

    def batches(self, *also: ColumnElement[bool]) -> Iterator[Batch]:
        """Read the selected bookmarks as `select_bookmarks` has them, the lowest id first."""
        mine = Bookmark.organization_id == self.actor.organization_id
        for page in self._pages(also):
            for ids in portions(page):
                # What passed when its id was read stays in, whatever becomes of it meanwhile.
                which = select_bookmarks().where(mine, id_in(ids)).order_by(Bookmark.id)
                yield self.read(lambda which=which: db.session.execute(which).all())  # type: ignore[misc]

    def read(self, work: Callable[[], T]) -> T:
        """Run a read in a transaction of its own, while the actor belongs to the organization.

        Raises:
            NotFound: they do not any more.
        """
        with self.app.app_context():
            acquire_export_slot(self.slot)
            if role_in(self.actor, self.actor.organization_id) is None:
                raise NotFound
            return work()

    def in_order(self, statement: Select[*tuple[Any, ...]], *key: InstrumentedAttribute[Any]) -> Iterator[Batch]:
        """Read the rows of a statement in the order of a unique key that is among its columns, in batches."""
        return read_by_keyset(
            statement, *key, size=BATCH, read=lambda page: self.read(lambda: db.session.execute(page).all())
        )

    def _pages(self, also: Sequence[ColumnElement[bool]]) -> Iterator[Sequence[Sized]]:
        page = self.first if not also else self._page_after(0, also)
        while page:
            yield page
            page = self._page_after(page[-1].id, also) if len(page) == PAGE else []

    def _page_after(self, after: int, also: Sequence[ColumnElement[bool]]) -> Sequence[Sized]:
        conditions = [*self.conditions, *also]
        return self.read(lambda: read_page(conditions, after, with_pages=self.with_pages))


def acquire_export_slot(slot: LeasedSlot) -> None:
    """Acquire a person's slot for an export, or extend its lease.

    Raises:
        TooManyRequests: the person has as many exports under way as one may have.
    """
    refusal = f"You have {MOST_AT_ONCE} exports under way. Wait until one of them has ended."
    slot.acquire_or_refuse(refusal, retry_after=RETRY_SECONDS)


def read_page(conditions: Sequence[ColumnElement[bool]], after: int, *, with_pages: bool) -> list[Sized]:
    """Read the next ids and sizes: one statement."""
    size: ColumnElement[int] = func.octet_length(Bookmark.notes) + func.octet_length(Bookmark.description)
    which = select(Bookmark.id, size.label("size"))
    if with_pages:
        page = func.octet_length(BookmarkContent.text) + func.octet_length(BookmarkContent.html)
        which = select(Bookmark.id, (size + func.coalesce(page, 0)).label("size"))
        which = which.outerjoin(BookmarkContent, BookmarkContent.bookmark_id == Bookmark.id)
    which = which.where(*conditions, Bookmark.id > after).order_by(Bookmark.id).limit(PAGE)
    return [Sized(row.id, row.size) for row in db.session.execute(which)]


def portions(page: Sequence[Sized]) -> Iterator[list[int]]:
    """Cut a page into batches of ids whose texts fit into memory together."""
    ids: list[int] = []
    total = 0
    for one in page:
        if ids and (len(ids) == BATCH or total + one.size > BATCH_BYTES):
            yield ids
            ids, total = [], 0
        ids.append(one.id)
        total += one.size
    if ids:
        yield ids
