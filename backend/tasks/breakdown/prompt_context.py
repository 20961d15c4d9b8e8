"""What a language model is given to break a task down with: the task, what it stands in, and what was read for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, select

from backend.actor import Actor
from backend.bookmarks import queries as bookmarks
from backend.bookmarks.models import Bookmark
from backend.bookmarks.schemas import BookmarkFilter
from backend.extensions import db
from backend.projects.queries import get_project
from backend.search.service import find_related
from backend.tasks.models import Task
from backend.tasks.schemas import TaskOut

# How many bookmarks are offered, and how many of them may be there because they are attached to the project.
OFFERED, ATTACHED = 10, 5
SHOWN_SUBTASKS = 30
# Bytes of each text: some 16,000 in all, so that models with a short memory take them too.
TITLE, DESCRIPTION, PROJECT, TECHNOLOGIES, SUBTASK = 500, 6_000, 1_500, 20, 80
BOOKMARK_TITLE, BOOKMARK_DESCRIPTION = 150, 300
# What is looked for, in characters: the title, and how the text begins.
SOUGHT_TITLE, SOUGHT_TEXT = 300, 200


@dataclass(frozen=True)
class Reading:
    """A bookmark that may help."""

    id: int
    url: str
    title: str
    description: str


@dataclass(frozen=True)
class Material:
    """What a model is given, as JSON, and the bookmarks in it by id."""

    text: str
    readings: dict[int, Reading]


def gather(actor: Actor, task: TaskOut) -> Material:
    """All that is given for a task. No notes, no addresses, no pages, and nothing about people is in it.

    Raises:
        NotFound: the task's project is in the trash by now.
    """
    project = get_project(actor, task.project_id) if task.project_id is not None else None
    found = _readings(actor, task, project.name if project else "")
    told: dict[str, Any] = {
        "task": {"title": _cut(task.title, TITLE), "description": _cut(task.description, DESCRIPTION)},
        "part_of": _titles(Task.id == task.parent_id) if task.parent_id is not None else [],
        "existing_subtasks": _titles(Task.parent_id == task.id),
        "bookmarks": [
            {
                "id": one.id,
                "title": _cut(one.title, BOOKMARK_TITLE),
                "description": _cut(one.description, BOOKMARK_DESCRIPTION),
            }
            for one in found
        ],
    }
    if project:
        told["project"] = {
            "name": _cut(project.name, TITLE),
            "description": _cut(project.description, PROJECT),
            "technologies": [_cut(name, SUBTASK) for name in project.technologies[:TECHNOLOGIES]],
        }
    return Material(orjson.dumps(told).decode(), {one.id: one for one in found})


def _readings(actor: Actor, task: TaskOut, project: str) -> list[Reading]:
    """The most relevant bookmarks, those of the project first."""
    sought = f"{task.title[:SOUGHT_TITLE]} {task.description[:SOUGHT_TEXT]} {project}"
    ids: list[int] = []
    if task.project_id is not None:
        attached = BookmarkFilter(project_id=task.project_id, is_archived="any")
        ids = find_related(actor, sought, attached, ATTACHED)
    others = find_related(actor, sought, BookmarkFilter(is_archived="any"), OFFERED)
    return _read(actor, list(dict.fromkeys([*ids, *others]))[:OFFERED])


def _read(actor: Actor, ids: Sequence[int]) -> list[Reading]:
    rows = db.session.execute(
        select(Bookmark.id, Bookmark.url, Bookmark.title, Bookmark.description).where(
            bookmarks.not_trashed(actor), bookmarks.id_in(ids)
        )
    )
    found = {row.id: Reading(*row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def _titles(which: ColumnElement[bool]) -> list[str]:
    """Of tasks that belong together, in their order."""
    titles = select(Task.title).where(which, Task.deleted_at.is_(None)).order_by(Task.position).limit(SHOWN_SUBTASKS)
    return [_cut(title, SUBTASK) for title in db.session.scalars(titles)]


def _cut(text: str, size: int) -> str:
    """The beginning of a text, of so many bytes."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[:size].decode("utf-8", "ignore") + "…"
