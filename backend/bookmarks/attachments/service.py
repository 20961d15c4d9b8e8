"""Attachments of single bookmarks to projects."""

from __future__ import annotations

from sqlalchemy import delete

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.bookmarks import queries
from backend.bookmarks.locking import lock_bookmarks
from backend.bookmarks.models import Bookmark
from backend.bookmarks.schemas import AttachedBookmarkOut
from backend.bookmarks.upsert import update_fields
from backend.database import retry_on_conflict
from backend.errors import NotFound
from backend.extensions import db
from backend.projects.models import ProjectBookmark
from backend.projects.service import lock_projects


@retry_on_conflict
def attach_bookmark(
    actor: Actor, project_id: int, bookmark_id: int, note: str | None
) -> tuple[AttachedBookmarkOut, bool]:
    """Attach a bookmark to a project, or change the note of an attachment; False beside it means that it was attached
    already. Without a note the existing one stays.

    Raises:
        NotFound: there is no such project or bookmark outside the trash.
    """
    _lock_both(actor, project_id, bookmark_id)
    attached = db.session.get(ProjectBookmark, (project_id, bookmark_id))
    created = attached is None
    if attached is None:
        attached = ProjectBookmark(project_id=project_id, bookmark_id=bookmark_id, note=note or "")
        attached.organization_id, attached.attached_by = actor.organization_id, actor.user_id
        db.session.add(attached)
    elif note is not None:
        attached.note = note
    if db.session.is_modified(attached):
        db.session.flush()
        update_fields(actor, bookmark_id, {})
        record_activity(actor, ActivityType.BOOKMARK_ATTACHED, bookmark_id, project_id=project_id)
    bookmark = queries.get_attached(actor, project_id, bookmark_id)
    db.session.commit()
    return bookmark, created


@retry_on_conflict
def detach_bookmark(actor: Actor, project_id: int, bookmark_id: int) -> None:
    """Detach a bookmark from a project.

    Raises:
        NotFound: there is no such project or bookmark outside the trash, or it is not attached.
    """
    _lock_both(actor, project_id, bookmark_id)
    own_link = (ProjectBookmark.project_id == project_id, ProjectBookmark.bookmark_id == bookmark_id)
    deleted_id = db.session.scalar(delete(ProjectBookmark).where(*own_link).returning(ProjectBookmark.bookmark_id))
    if deleted_id is None:
        raise NotFound
    update_fields(actor, bookmark_id, {})
    record_activity(actor, ActivityType.BOOKMARK_DETACHED, bookmark_id, project_id=project_id)
    db.session.commit()


def _lock_both(actor: Actor, project_id: int, bookmark_id: int) -> None:
    if not lock_bookmarks(queries.not_trashed(actor), Bookmark.id == bookmark_id) or not lock_projects(
        actor, [project_id]
    ):
        raise NotFound
