"""Tags and projects of an export, put back.

A project is matched by its name: of several with one name the first in the file is the oldest one here, and so on. What
is there stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.bookmarks.tags.assignment import TooManyTags, find_or_create_tags
from backend.extensions import db
from backend.projects.models import Project
from backend.projects.queries import not_trashed
from backend.text.sort_keys import searchable_text, sort_key
from backend.transfer.records import SkippedLine
from backend.transfer.restore.items import ExportedProject, ExportedTag, RestoredIds, read_items


def restore_tags(actor: Actor, first: int, raw: Sequence[Any], _ids: RestoredIds) -> list[SkippedLine]:
    """Make the tags that are not there, in the caller's transaction."""
    items, skipped = read_items(ExportedTag, "tags", enumerate(raw, first))
    try:
        with db.session.begin_nested():
            find_or_create_tags(actor, [item.name for _, item in items])
    except TooManyTags as fault:
        skipped += [SkippedLine(number, "", f"tags: {fault.message}") for number, _ in items]
    return skipped


def restore_projects(actor: Actor, first: int, raw: Sequence[Any], ids: RestoredIds) -> list[SkippedLine]:
    """Match projects or make them, in the caller's transaction."""
    items, skipped = read_items(ExportedProject, "projects", enumerate(raw, first))
    here = _same_names(actor, [item.name for _, item in items], ids)
    new = []
    for _, item in items:
        if here.get(item.name):
            _match(ids, item, here[item.name].pop(0))
        else:
            new.append(item)
    if new:
        made = db.session.scalars(
            insert(Project).returning(Project.id, sort_by_parameter_order=True), [_row(actor, item) for item in new]
        )
        for item, project_id in zip(new, made, strict=True):
            _match(ids, item, project_id)
        record_activity(actor, ActivityType.PROJECT_CREATED, count=len(new), imported=True)
    return skipped


def _same_names(actor: Actor, names: Sequence[str], ids: RestoredIds) -> dict[str, list[int]]:
    """Find the projects of these names that no item has taken yet, the oldest first."""
    which = select(Project.id, Project.name).where(not_trashed(actor), Project.name.in_(names)).order_by(Project.id)
    found: dict[str, list[int]] = {}
    for row in db.session.execute(which):
        if row.id not in ids.taken_projects:
            found.setdefault(row.name, []).append(row.id)
    return found


def _match(ids: RestoredIds, item: ExportedProject, project_id: int) -> None:
    ids.projects[item.id] = project_id
    ids.taken_projects.add(project_id)


def _row(actor: Actor, item: ExportedProject) -> dict[str, Any]:
    return {
        **item.model_dump(exclude={"id"}),
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "name_key": sort_key(item.name),
        "words": searchable_text(item.name, item.description),
    }
