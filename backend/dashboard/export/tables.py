"""The tables of a dashboard export: which the actor may read, and their rows in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from backend.actor import Actor
from backend.bookmarks.counts import TAGGED_BOOKMARKS
from backend.bookmarks.models import Bookmark, Tag
from backend.bookmarks.queries import id_in, select_bookmarks
from backend.dashboard.export.history import HISTORY_COLUMNS, select_history
from backend.database import read_by_keyset
from backend.extensions import db
from backend.projects import queries as projects
from backend.projects.models import Project
from backend.tasks import queries as tasks
from backend.tasks.models import Task
from backend.transfer.export.selection import portions, read_page

BATCH = 1_000
Values = Sequence[Any]
BOOKMARK_NAMES = (
    "id", "url", "title", "description", "notes", "tags", "domain", "site_name", "author", "published_at", "language",
    "word_count", "is_read", "read_at", "is_favorite", "is_archived", "capture_status", "captured_at", "created_at",
    "updated_at",
)  # fmt: skip
TAG_COLUMNS = (Tag.id, Tag.name, TAGGED_BOOKMARKS.label("bookmark_count"), Tag.created_at)
PROJECT_COLUMNS = (
    Project.id, Project.name, Project.description, Project.technologies, Project.status, Project.created_at,
    Project.updated_at,
)  # fmt: skip
TASK_COLUMNS = (
    Task.id, Task.project_id, Task.parent_id, Task.title, Task.description, Task.status, Task.priority, Task.due_at,
    Task.completed_at, Task.created_at, Task.updated_at,
)  # fmt: skip


@dataclass(frozen=True)
class ExportTable:
    """A table of the file: its name, columns and number of rows, the scope that it asks for, and its rows."""

    name: str
    scope: str
    columns: Sequence[str]
    total: int
    batches: Iterable[Sequence[Values]]


@dataclass(frozen=True)
class Period:
    """What was created from `since`, and before `until`; None: without that bound."""

    since: datetime | None
    until: datetime | None

    def holds(self, moment: InstrumentedAttribute[datetime] | ColumnElement[datetime]) -> list[ColumnElement[bool]]:
        """Return the conditions that a time is within the period."""
        since = [] if self.since is None else [moment >= self.since]
        return since if self.until is None else [*since, moment < self.until]


def readable_tables(actor: Actor, period: Period, *, with_history: bool) -> list[ExportTable]:
    """Return the tables that the actor may read now, in the order of the file. One statement for each counts its rows.

    What is in the trash is in none.
    """
    makers: list[tuple[str, Callable[[Actor, Period, str], ExportTable]]] = [
        ("bookmarks:read", _bookmarks),
        ("bookmarks:read", _tags),
        ("projects:read", _projects),
        ("tasks:read", _tasks),
    ]
    if with_history:
        makers.append(("dashboard:read", _history))
    return [make(actor, period, scope) for scope, make in makers if actor.may(scope)]


def _bookmarks(actor: Actor, period: Period, scope: str) -> ExportTable:
    live = [Bookmark.organization_id == actor.organization_id, Bookmark.deleted_at.is_(None)]
    conditions = [*live, *period.holds(Bookmark.created_at)]
    return ExportTable("bookmarks", scope, BOOKMARK_NAMES, _count(Bookmark.id, conditions), _bookmark_rows(conditions))


def _bookmark_rows(conditions: Sequence[ColumnElement[bool]]) -> Iterator[list[Values]]:
    """Read ids first, with the sizes of long texts: a batch of whole rows fits into memory."""
    page = read_page(conditions, 0, with_pages=False)
    while page:
        for ids in portions(page):
            rows = db.session.execute(
                select_bookmarks(Bookmark.read_at).where(*conditions, id_in(ids)).order_by(Bookmark.id)
            ).all()
            db.session.commit()
            yield [[row._mapping[name] for name in BOOKMARK_NAMES] for row in rows]
        page = read_page(conditions, page[-1].id, with_pages=False)


def _tags(actor: Actor, period: Period, scope: str) -> ExportTable:
    conditions = [Tag.organization_id == actor.organization_id, *period.holds(Tag.created_at)]
    return _table("tags", scope, select(*TAG_COLUMNS), Tag.id, conditions)


def _projects(actor: Actor, period: Period, scope: str) -> ExportTable:
    conditions = [projects.not_trashed(actor), *period.holds(Project.created_at)]
    return _table("projects", scope, select(*PROJECT_COLUMNS), Project.id, conditions)


def _tasks(actor: Actor, period: Period, scope: str) -> ExportTable:
    conditions = [tasks.not_trashed(actor), *period.holds(Task.created_at)]
    return _table("tasks", scope, select(*TASK_COLUMNS), Task.id, conditions)


def _history(actor: Actor, period: Period, scope: str) -> ExportTable:
    statement = select_history(actor)
    chosen = statement.selected_columns
    statement = statement.where(*period.holds(chosen.created_at))
    total = db.session.scalar(statement.with_only_columns(func.count())) or 0
    rows = _rows(statement, (chosen.created_at, chosen.id), HISTORY_COLUMNS)
    return ExportTable("activity", scope, HISTORY_COLUMNS, total, rows)


def _table(
    name: str,
    scope: str,
    statement: Select[*tuple[Any, ...]],
    key: InstrumentedAttribute[int],
    conditions: Sequence[ColumnElement[bool]],
) -> ExportTable:
    columns = [column["name"] for column in statement.column_descriptions]
    return ExportTable(
        name, scope, columns, _count(key, conditions), _rows(statement.where(*conditions), (key,), columns)
    )


def _count(key: InstrumentedAttribute[int], conditions: Sequence[ColumnElement[bool]]) -> int:
    return db.session.scalar(select(func.count(key)).where(*conditions)) or 0


def _rows(statement: Select[*tuple[Any, ...]], key: Sequence[Any], columns: Sequence[str]) -> Iterator[list[Values]]:
    for rows in read_by_keyset(statement, *key, size=BATCH):
        # Writing the batch takes time that no snapshot should last.
        db.session.commit()
        yield [_values(row, columns) for row in rows]


def _values(row: Row[Any], columns: Sequence[str]) -> Values:
    return [row._mapping[name] for name in columns]
