"""Whole accounts: how a JSON export is imported, and what two exports have in common."""

from __future__ import annotations

import io
from typing import Any

from backend.actor import Actor
from backend.bookmarks.schemas import BookmarkIn
from backend.bookmarks.upsert import upsert_bookmarks
from backend.extensions import db
from backend.transfer.account import RestorePosition, restore_account
from backend.transfer.formats.fuze_json import read_fuze_json
from backend.transfer.records import ImportedBookmark, SkippedLine
from tests.support.api import Api

# What says when a bookmark was changed here, and how the reading of its page went here.
OF_THIS_SERVER = ("updated_at", "capture_status", "captured_at")


def actor_of(person: Api, *scopes: str) -> Actor:
    """The person in their own organization, with a login or a token of these scopes."""
    given = {"scopes": frozenset(scopes)} if scopes else {"is_login": True}
    return Actor(person.user_id, person.organization_id, "owner", **given)  # type: ignore[arg-type]


def export_json(person: Api, **query: Any) -> bytes:
    """The JSON export of a person."""
    return person.get("/bookmarks/export", format="json", **query).get_data()


def import_json(person: Api, document: bytes) -> list[SkippedLine]:
    """Import an export as a job does: bookmarks first, then the rest; what was left out."""
    file = io.BytesIO(document)
    with person.app.app_context():
        actor = actor_of(person)
        drafts = [_draft(record) for record in read_fuze_json(file) if isinstance(record, ImportedBookmark)]
        if drafts:
            upsert_bookmarks(actor, drafts, "merge", "import")
        db.session.commit()
        return [line for position in restore(actor, file) for line in position.skipped]


def restore(actor: Actor, file: io.BytesIO, position: RestorePosition | None = None) -> list[RestorePosition]:
    """All steps of a restore, each committed."""
    steps = []
    for step in restore_account(actor, file, position):
        db.session.commit()
        steps.append(step)
    return steps


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """What an export says without the numbers and times of its server, in an order of its own."""
    projects = {item["id"]: place for place, item in enumerate(document["projects"])}
    tasks = {item["id"]: item for item in document["tasks"]}
    bookmarks = sorted(document["bookmarks"], key=lambda item: item["url"])
    return {
        "tags": sorted(item["name"] for item in document["tags"]),
        "projects": [_without(item, "id") for item in document["projects"]],
        "tasks": sorted((_task(item, tasks, projects) for item in document["tasks"]), key=str),
        "bookmarks": [_bookmark(item, projects) for item in bookmarks],
        "feedback": sorted((_feedback(item, tasks, projects) for item in document["feedback"]), key=str),
    }


def _draft(record: ImportedBookmark) -> BookmarkIn:
    marks = {name: bool(getattr(record, name)) for name in ("is_read", "is_favorite", "is_archived")}
    texts = {name: getattr(record, name) for name in ("url", "title", "description", "notes", "created_at")}
    return BookmarkIn(**texts, **marks, tags=list(record.tags), capture=False)


def _without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}


def _path(item: dict[str, Any], tasks: dict[int, dict[str, Any]]) -> list[Any]:
    above = _path(tasks[item["parent_id"]], tasks) if item["parent_id"] else []
    return [*above, item["position"], item["title"]]


def _task(item: dict[str, Any], tasks: dict[int, Any], projects: dict[int, int]) -> dict[str, Any]:
    bare = _without(item, "id", "parent_id", "project_id")
    return {**bare, "path": _path(item, tasks), "project": projects.get(item["project_id"])}


def _bookmark(item: dict[str, Any], projects: dict[int, int]) -> dict[str, Any]:
    attached = [{**_without(one, "project_id"), "project": projects[one["project_id"]]} for one in item["projects"]]
    return {**_without(item, "id", *OF_THIS_SERVER), "projects": sorted(attached, key=str)}


def _feedback(item: dict[str, Any], tasks: dict[int, Any], projects: dict[int, int]) -> dict[str, Any]:
    kind, _, number = item["subject"].partition(":")
    about: Any = {"project": projects, "task": {id_: _path(one, tasks) for id_, one in tasks.items()}}.get(kind)
    named = about[int(number)] if about is not None else item["subject_url"] or number
    return {**_without(item, "subject"), "subject": [kind, named]}
