"""Project links: attachment of many bookmarks to projects in a fixed number of statements.

Callers have inserted or locked the bookmarks in the same transaction, so that no other transaction attaches them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select

from backend.actor import Actor
from backend.errors import Invalid
from backend.extensions import db
from backend.named_blocks import read_statements
from backend.projects.models import Project, ProjectBookmark

SQL = read_statements(__file__)


def attach_to_projects(actor: Actor, projects_of: Mapping[int, Collection[int]], requested: Collection[int]) -> None:
    """Attach bookmarks to projects, beside those they are attached to. One statement, none without project ids.

    `requested` are the ids of all projects in the request, also those without a bookmark to attach.

    Raises:
        Invalid: one of them is not a project of the organization outside the trash.
    """
    if not requested:
        return
    pairs = [(bookmark_id, project_id) for bookmark_id, ids in projects_of.items() for project_id in ids]
    values = {
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "requested": sorted(requested),
        "bookmark_ids": [bookmark_id for bookmark_id, _ in pairs],
        "project_ids": [project_id for _, project_id in pairs],
    }
    unknown = set(requested) - set(db.session.scalars(SQL["attach"], values))
    if unknown:
        raise unknown_project("body.project_ids", min(unknown))


def set_projects(actor: Actor, bookmark_id: int, project_ids: Collection[int]) -> None:
    """Attach a bookmark to exactly these projects. Links to projects in the trash stay: these may be restored.

    Raises:
        Invalid: one of them is not a project of the organization outside the trash.
    """
    in_trash = select(Project.id).where(Project.id == ProjectBookmark.project_id, Project.deleted_at.is_not(None))
    others = delete(ProjectBookmark).where(
        ProjectBookmark.bookmark_id == bookmark_id, ProjectBookmark.project_id.not_in(project_ids), ~in_trash.exists()
    )
    db.session.execute(others, execution_options={"synchronize_session": False})
    attach_to_projects(actor, {bookmark_id: project_ids}, project_ids)


def unknown_project(field: str, project_id: int) -> Invalid:
    """Build the refusal of a project that the organization does not have, or has in the trash."""
    return Invalid.field(field, f"There is no project {project_id}.", "unknown_project")
