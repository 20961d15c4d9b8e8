"""Filing bookmarks under projects, many at a time, in a number of statements that does not grow.

Whoever files a bookmark has made or locked it in the same transaction, so that nobody else files it meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select, text

from backend.actor import Actor
from backend.errors import Invalid
from backend.extensions import db
from backend.projects.models import Project, ProjectBookmark

# Projects are held with the lock that a foreign key takes, so that none is deleted for good before it is referred to.
FILE = text("""
    WITH known AS (
        SELECT id FROM projects
         WHERE organization_id = :organization_id AND deleted_at IS NULL AND id = ANY(CAST(:asked AS bigint[]))
         ORDER BY id FOR KEY SHARE),
    filed AS (
        INSERT INTO project_bookmarks (project_id, bookmark_id, organization_id, attached_by)
        SELECT known.id, wanted.bookmark_id, :organization_id, :user_id
          FROM unnest(CAST(:bookmark_ids AS bigint[]), CAST(:project_ids AS bigint[]))
               AS wanted(bookmark_id, project_id)
          JOIN known ON known.id = wanted.project_id
         ORDER BY wanted.bookmark_id, known.id
        ON CONFLICT DO NOTHING)
    SELECT id FROM known
""")


def attach_to_projects(actor: Actor, projects_of: Mapping[int, Collection[int]], asked: Collection[int]) -> None:
    """Attach bookmarks to projects, beside those that they are attached to. One statement, none if nothing is asked.

    `asked` are the ids of all projects that the request names, also those that no bookmark is to be attached to.

    Raises:
        Invalid: one of them is not a project of the organization outside the trash.
    """
    if not asked:
        return
    pairs = [(bookmark_id, project_id) for bookmark_id, ids in projects_of.items() for project_id in ids]
    values = {
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "asked": sorted(asked),
        "bookmark_ids": [bookmark_id for bookmark_id, _ in pairs],
        "project_ids": [project_id for _, project_id in pairs],
    }
    unknown = set(asked) - set(db.session.scalars(FILE, values))
    if unknown:
        raise unknown_project("body.project_ids", min(unknown))


def set_projects(actor: Actor, bookmark_id: int, project_ids: Collection[int]) -> None:
    """Attach a bookmark to these projects and no others. In projects in the trash it stays: they may come back.

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
    """The refusal of a project that the organization does not have, or has in the trash."""
    return Invalid.field(field, f"There is no project {project_id}.", "unknown_project")
