"""Prompt context: the task, its surroundings in the tree, and relevant bookmarks."""

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

# Bookmarks offered, and how many of them may be there for being attached to the project.
OFFERED, ATTACHED = 10, 5
SHOWN_SUBTASKS = 30
# Limits in bytes: some 16,000 in all, which fit into a small context window.
TITLE, DESCRIPTION, PROJECT, TECHNOLOGIES, SUBTASK = 500, 6_000, 1_500, 20, 80
BOOKMARK_TITLE, BOOKMARK_DESCRIPTION = 150, 300
# Search text in characters: the title, and the beginning of the description.
QUERY_TITLE, QUERY_TEXT = 300, 200


@dataclass(frozen=True)
class RelevantBookmark:
    """A bookmark that may help."""

    id: int
    url: str
    title: str
    description: str


@dataclass(frozen=True)
class PromptContext:
    """The context as JSON, and the bookmarks in it by id."""

    text: str
    bookmarks: dict[int, RelevantBookmark]


def build_context(actor: Actor, task: TaskOut) -> PromptContext:
    """Build the context of a task. It holds no notes, no URLs, no pages, and nothing about people.

    Raises:
        NotFound: the task's project is in the trash.
    """
    project = get_project(actor, task.project_id) if task.project_id is not None else None
    relevant = _relevant_bookmarks(actor, task, project.name if project else "")
    context: dict[str, Any] = {
        "task": {"title": _cut(task.title, TITLE), "description": _cut(task.description, DESCRIPTION)},
        "part_of": _titles(Task.id == task.parent_id) if task.parent_id is not None else [],
        "existing_subtasks": _titles(Task.parent_id == task.id),
        "bookmarks": [
            {
                "id": bookmark.id,
                "title": _cut(bookmark.title, BOOKMARK_TITLE),
                "description": _cut(bookmark.description, BOOKMARK_DESCRIPTION),
            }
            for bookmark in relevant
        ],
    }
    if project:
        context["project"] = {
            "name": _cut(project.name, TITLE),
            "description": _cut(project.description, PROJECT),
            "technologies": [_cut(name, SUBTASK) for name in project.technologies[:TECHNOLOGIES]],
        }
    return PromptContext(orjson.dumps(context).decode(), {bookmark.id: bookmark for bookmark in relevant})


def _relevant_bookmarks(actor: Actor, task: TaskOut, project: str) -> list[RelevantBookmark]:
    """Return the most relevant bookmarks, those of the project first."""
    query = f"{task.title[:QUERY_TITLE]} {task.description[:QUERY_TEXT]} {project}"
    ids: list[int] = []
    if task.project_id is not None:
        attached = BookmarkFilter(project_id=task.project_id, is_archived="any")
        ids = find_related(actor, query, attached, ATTACHED)
    others = find_related(actor, query, BookmarkFilter(is_archived="any"), OFFERED)
    return _read(actor, list(dict.fromkeys([*ids, *others]))[:OFFERED])


def _read(actor: Actor, ids: Sequence[int]) -> list[RelevantBookmark]:
    rows = db.session.execute(
        select(Bookmark.id, Bookmark.url, Bookmark.title, Bookmark.description).where(
            bookmarks.not_trashed(actor), bookmarks.id_in(ids)
        )
    )
    bookmarks_by_id = {row.id: RelevantBookmark(*row) for row in rows}
    return [bookmarks_by_id[id_] for id_ in ids if id_ in bookmarks_by_id]


def _titles(condition: ColumnElement[bool]) -> list[str]:
    """Return the titles of related tasks, in order."""
    titles = (
        select(Task.title).where(condition, Task.deleted_at.is_(None)).order_by(Task.position).limit(SHOWN_SUBTASKS)
    )
    return [_cut(title, SUBTASK) for title in db.session.scalars(titles)]


def _cut(text: str, size: int) -> str:
    """Cut a text to a number of bytes."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[:size].decode("utf-8", "ignore") + "…"
