"""What the person had said of bookmarks, put back; what they have said here since stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from backend.actor import Actor
from backend.extensions import db
from backend.recommendations.models import Feedback
from backend.text.urls import url_hash
from backend.transfer.records import SkippedLine
from backend.transfer.restore.attachments import find_by_url
from backend.transfer.restore.items import ExportedFeedback, RestoredIds, read_items

SLOT = ("user_id", "organization_id", "subject", "bookmark_id", "slot")


def restore_feedback(actor: Actor, first: int, raw: Sequence[Any], ids: RestoredIds) -> list[SkippedLine]:
    """Add feedback whose bookmark and subject are there, in the caller's transaction."""
    items, skipped = read_items(ExportedFeedback, "feedback", first, raw)
    urls = [url for _, item in items for url in (item.url, item.subject_url) if url is not None]
    here = find_by_url(actor, urls)
    rows = []
    for number, item in items:
        about = _about(item, here, ids)
        bookmark = here.get(url_hash(item.url))
        if about is None or bookmark is None:
            skipped.append(SkippedLine(number, item.url, "feedback: its bookmark or subject is missing"))
        else:
            rows.append({**_row(actor, item), "bookmark_id": bookmark, **about})
    if rows:
        statement = insert(Feedback).on_conflict_do_nothing(index_elements=SLOT)
        db.session.execute(statement, rows, execution_options={"render_nulls": True})
    return skipped


def _about(item: ExportedFeedback, here: Mapping[bytes, int], ids: RestoredIds) -> dict[str, Any] | None:
    """Find the columns that name the subject; None if it is not here."""
    kind, _, name = item.subject.partition(":")
    if kind == "project":
        project_id_here = ids.projects.get(int(name))
        return None if project_id_here is None else _subject(f"project:{project_id_here}", project_id=project_id_here)
    if kind == "task":
        task = ids.tasks.get(int(name))
        return None if task is None else _subject(f"task:{task.id}", task_id=task.id)
    if kind == "bookmark":
        bookmark = here.get(url_hash(item.subject_url)) if item.subject_url else None
        return None if bookmark is None else _subject(f"bookmark:{bookmark}")
    return _subject(item.subject)


def _subject(subject: str, *, project_id: int | None = None, task_id: int | None = None) -> dict[str, Any]:
    return {"subject": subject, "project_id": project_id, "task_id": task_id}


def _row(actor: Actor, item: ExportedFeedback) -> dict[str, Any]:
    return {
        **item.model_dump(include={"kind", "created_at", "updated_at"}),
        "user_id": actor.user_id,
        "organization_id": actor.organization_id,
    }
