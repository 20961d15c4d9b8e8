"""The names of projects that exported bookmarks are attached to."""

from __future__ import annotations

from sqlalchemy import select

from backend.projects.models import Project
from backend.projects.queries import not_trashed
from backend.transfer.export.selection import ExportSelection


def project_names(selection: ExportSelection) -> dict[int, str]:
    """Read the names of all projects outside the trash by id; none if the credential does not reach projects."""
    if not may_read(selection, "projects"):
        return {}
    which = select(Project.id, Project.name).where(not_trashed(selection.actor))
    return {row.id: row.name for rows in selection.in_order(which, Project.id) for row in rows}


def may_read(selection: ExportSelection, resource: str) -> bool:
    """Tell whether the credential reaches a resource: an API token may be for bookmarks alone."""
    return selection.actor.may(f"{resource}:read")
