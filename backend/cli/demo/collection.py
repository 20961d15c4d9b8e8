"""Demo collection, and its import into an account."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func

from backend.actor import Actor
from backend.bookmarks.attachments.service import attach_bookmark
from backend.bookmarks.search_documents import refresh_documents
from backend.bookmarks.service import save_bookmarks
from backend.bookmarks.upsert import update_fields
from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.sanitize import paragraphs_html
from backend.capture.extract.text import count_words
from backend.capture.service import store_content
from backend.clock import utc_now
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate
from backend.index.messages import embed_message
from backend.jobs.queue import send
from backend.projects.schemas import ProjectIn
from backend.projects.service import create_project
from backend.tasks.service import create_tasks

FILE = Path(__file__).parent / "collection.toml"
TASK_FIELDS = ("title", "description", "status", "priority")


@dataclass(frozen=True)
class LoadedCollection:
    """Numbers of loaded rows; pages are bookmarks with a text to read, tasks include subtasks."""

    bookmarks: int
    pages: int
    projects: int
    tasks: int


@cache
def read_collection() -> dict[str, list[dict[str, Any]]]:
    """Read `bookmarks` and `projects` from `collection.toml`."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def load_collection(actor: Actor) -> LoadedCollection:
    """Save the collection for a new account, in several transactions."""
    collection, now = read_collection(), utc_now()
    saved = save_bookmarks(actor, [bookmark_item(item, now) for item in collection["bookmarks"]], "keep")
    ids = {item["url"]: _saved(result.id) for item, result in zip(collection["bookmarks"], saved.results, strict=True)}
    pages = {ids[item["url"]]: item for item in collection["bookmarks"] if "page" in item}
    _store_pages(actor, pages)
    tasks = sum(_begin_project(actor, project, ids, now) for project in collection["projects"])
    # A person may be looking on already.
    invalidate([actor.organization_id])
    return LoadedCollection(len(ids), len(pages), len(collection["projects"]), tasks)


def bookmark_item(described: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Make an item of POST /bookmarks. Nothing is fetched: the addresses do not exist."""
    return {
        **{name: described[name] for name in ("url", "title", "description", "tags")},
        "is_read": described.get("read", False),
        "is_favorite": described.get("favorite", False),
        "created_at": (now - timedelta(days=described["age"])).isoformat(),
        "capture": False,
    }


def _store_pages(actor: Actor, pages: Mapping[int, Mapping[str, Any]]) -> None:
    for bookmark_id, described in pages.items():
        page = _page(described["title"], described["page"].strip(), described.get("language", "en"))
        values = {
            "capture_status": "captured",
            "capture_error": None,
            "captured_at": func.now(),
            "embedding_due_at": func.now(),
            "language": page.language,
            "word_count": page.word_count,
        }
        update_fields(actor, bookmark_id, values)
        store_content(bookmark_id, page)
    refresh_documents(sorted(pages))
    db.session.commit()
    send([embed_message()])


def _page(title: str, text: str, language: str) -> ExtractedPage:
    return ExtractedPage(
        title=title,
        author=None,
        site_name=None,
        description=None,
        published_at=None,
        language=language,
        image_url=None,
        text=text,
        html=paragraphs_html(text),
        word_count=count_words(text),
    )


def _begin_project(actor: Actor, described: Mapping[str, Any], ids: Mapping[str, int], now: datetime) -> int:
    fields = {name: described[name] for name in ("name", "description", "technologies") if name in described}
    project = create_project(actor, ProjectIn(**fields))
    for url in described["bookmarks"]:
        attach_bookmark(actor, project.id, ids[url], None)
    tasks = _create_tasks(actor, [task_item(task, project.id, now) for task in described["tasks"]])
    subtasks = [
        {"title": title, "parent_id": parent_id}
        for parent_id, task in zip(tasks, described["tasks"], strict=True)
        for title in task.get("subtasks", [])
    ]
    return len(tasks) + len(_create_tasks(actor, subtasks))


def task_item(described: Mapping[str, Any], project_id: int, now: datetime) -> dict[str, Any]:
    """Make an item of POST /tasks; `due` is in days."""
    due = {"due_at": (now + timedelta(days=described["due"])).isoformat()} if "due" in described else {}
    return {**{name: described[name] for name in TASK_FIELDS if name in described}, "project_id": project_id, **due}


def _create_tasks(actor: Actor, items: Sequence[dict[str, Any]]) -> list[int]:
    return [_saved(result.id) for result in create_tasks(actor, items).results]


def _saved(id_: int | None) -> int:
    assert id_ is not None, "collection.toml holds something that the services refuse"
    return id_
