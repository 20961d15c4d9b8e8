"""Services for projects. Every public function commits once, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ARRAY, BigInteger, any_, delete, literal, select, update

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.clock import utc_now
from backend.database import retry_on_conflict
from backend.errors import NotFound
from backend.extensions import db
from backend.jobs.queue import send
from backend.projects import queries
from backend.projects.messages import embed_subjects_message
from backend.projects.models import Project
from backend.projects.schemas import ProjectIn, ProjectOut, ProjectPatch
from backend.text.sort_keys import searchable_text, sort_key


def create_project(actor: Actor, data: ProjectIn) -> ProjectOut:
    """Create a project in the actor's organization."""
    project = Project(organization_id=actor.organization_id, user_id=actor.user_id, **data.model_dump())
    _index(project)
    db.session.add(project)
    db.session.flush()
    made = queries.get_project(actor, project.id)
    record_activity(actor, ActivityType.PROJECT_CREATED, project.id)
    db.session.commit()
    send([embed_subjects_message()])
    return made


@retry_on_conflict
def update_project(actor: Actor, project_id: int, patch: ProjectPatch) -> ProjectOut:
    """Update the fields that the patch names.

    Raises:
        NotFound: there is no such project outside the trash.
    """
    statement = select(Project).where(queries.not_trashed(actor), Project.id == project_id)
    project = db.session.scalar(statement.with_for_update(key_share=True))
    if project is None:
        raise NotFound
    if patch.technologies is not None and patch.technologies != project.technologies:
        # The embeddings of its tasks include the technologies.
        db.session.execute(queries.EMBED_TASKS, {"project_id": project_id})
    for field in patch.model_fields_set:
        setattr(project, field, getattr(patch, field))
    _index(project)
    project.updated_at = utc_now()
    db.session.flush()
    changed = queries.get_project(actor, project_id)
    record_activity(
        actor, ActivityType.PROJECT_UPDATED, project_id, fields=sorted(patch.model_fields_set), status=patch.status
    )
    db.session.commit()
    send([embed_subjects_message()])
    return changed


@retry_on_conflict
def delete_project(actor: Actor, project_id: int, *, permanent: bool) -> None:
    """Move a project to the trash, or delete it for good (also from the trash). Its bookmarks stay.

    Raises:
        NotFound: there is no such project.
    """
    if permanent:
        conditions = (Project.id == project_id, Project.organization_id == actor.organization_id)
        gone = db.session.scalar(delete(Project).where(*conditions).returning(Project.id))
    else:
        statement = update(Project).where(queries.not_trashed(actor), Project.id == project_id)
        gone = db.session.scalar(statement.values(deleted_at=utc_now()).returning(Project.id))
    if gone is None:
        raise NotFound
    record_activity(actor, ActivityType.PROJECT_DELETED, project_id, permanent=permanent or None)
    db.session.commit()


def restore_project(actor: Actor, project_id: int) -> ProjectOut:
    """Restore a project from the trash with its attachments; one outside the trash is returned as it is.

    Raises:
        NotFound: there is no such project.
    """
    statement = update(Project).where(queries.trashed(actor), Project.id == project_id)
    restored = db.session.scalar(statement.values(deleted_at=None, updated_at=utc_now()).returning(Project.id))
    project = queries.get_project(actor, project_id)
    if restored is not None:
        record_activity(actor, ActivityType.PROJECT_RESTORED, project_id)
    db.session.commit()
    return project


def lock_projects(actor: Actor, project_ids: Collection[int]) -> set[int]:
    """Lock those of the ids that are projects of the organization outside the trash, and return them. None of them can
    be deleted for good before the end of the transaction. One statement, none without ids."""
    if not project_ids:
        return set()
    id_in = Project.id == any_(literal(sorted(project_ids), ARRAY(BigInteger)))
    statement = select(Project.id).where(queries.not_trashed(actor), id_in).order_by(Project.id)
    return set(db.session.scalars(statement.with_for_update(read=True, key_share=True)))


def _index(project: Project) -> None:
    project.name_key = sort_key(project.name)
    project.words = searchable_text(project.name, project.description)
    project.embedding_due_at = utc_now()
