"""/projects."""

from __future__ import annotations

from flask import Blueprint, url_for

from backend.actor import Actor
from backend.http.operations import operation
from backend.projects import queries, service
from backend.projects.schemas import (
    ProjectDeleteQuery,
    ProjectDeletionOut,
    ProjectIn,
    ProjectListQuery,
    ProjectOut,
    ProjectPage,
    ProjectPatch,
)

blueprint = Blueprint("projects", __name__, url_prefix="/projects")


@blueprint.post("")
@operation(scope="projects:write", limit="write", tag="projects", responses={201: ProjectOut})
def create_project(actor: Actor, json: ProjectIn) -> tuple[ProjectOut, int, dict[str, str]]:
    """Begin a project."""
    project = service.create_project(actor, json)
    return project, 201, {"Location": url_for("projects.read_project", project_id=project.id)}


@blueprint.get("")
@operation(scope="projects:read", limit="list", tag="projects", responses={200: ProjectPage}, cache="list")
def list_projects(actor: Actor, query: ProjectListQuery) -> ProjectPage:
    """List projects."""
    return queries.list_projects(actor, query)


@blueprint.get("/<id:project_id>")
@operation(scope="projects:read", limit="read", tag="projects", responses={200: ProjectOut}, cache="project")
def read_project(actor: Actor, project_id: int) -> ProjectOut:
    """Read one project."""
    return queries.get_project(actor, project_id)


@blueprint.patch("/<id:project_id>")
@operation(scope="projects:write", limit="write", tag="projects", responses={200: ProjectOut})
def update_project(actor: Actor, project_id: int, json: ProjectPatch) -> ProjectOut:
    """Change a project."""
    return service.update_project(actor, project_id, json)


@blueprint.delete("/<id:project_id>")
@operation(scope="projects:write", limit="write", tag="projects", responses={200: ProjectDeletionOut, 204: None})
def delete_project(actor: Actor, project_id: int, query: ProjectDeleteQuery) -> ProjectDeletionOut | tuple[str, int]:
    """Move a project to the trash, or delete it for good, or count what that would take; its bookmarks stay."""
    if query.dry_run:
        return queries.get_deletion(actor, project_id, permanent=query.permanent)
    service.delete_project(actor, project_id, permanent=query.permanent)
    return "", 204


@blueprint.post("/<id:project_id>/restore")
@operation(scope="projects:write", limit="write", tag="projects", responses={200: ProjectOut})
def restore_project(actor: Actor, project_id: int) -> ProjectOut:
    """Take a project out of the trash."""
    return service.restore_project(actor, project_id)
