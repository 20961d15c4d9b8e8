"""What a person does with projects. Every public function commits once, but for those that say otherwise."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ARRAY, BigInteger, any_, delete, literal, select, update

from backend.actor import Actor
from backend.clock import utc_now
from backend.database import again_after_lost_race
from backend.errors import NotFound
from backend.extensions import db
from backend.jobs.queue import send
from backend.projects import queries
from backend.projects.messages import embed_subjects_message
from backend.projects.models import Project
from backend.projects.schemas import ProjectIn, ProjectOut, ProjectPatch
from backend.text.sort_keys import searchable_text, sort_key


def create_project(actor: Actor, data: ProjectIn) -> ProjectOut:
    """A new project of the organization."""
    project = Project(organization_id=actor.organization_id, user_id=actor.user_id, **data.model_dump())
    _index(project)
    db.session.add(project)
    db.session.flush()
    made = queries.get_project(actor, project.id)
    db.session.commit()
    send([embed_subjects_message()])
    return made


@again_after_lost_race
def update_project(actor: Actor, project_id: int, patch: ProjectPatch) -> ProjectOut:
    """Change what the patch names.

    Raises:
        NotFound: there is no such project outside the trash.
    """
    which = select(Project).where(queries.live(actor), Project.id == project_id)
    project = db.session.scalar(which.with_for_update(key_share=True))
    if project is None:
        raise NotFound
    if patch.technologies is not None and patch.technologies != project.technologies:
        # The vectors of its tasks are made with them.
        db.session.execute(queries.EMBED_TASKS, {"project_id": project_id})
    for field in patch.model_fields_set:
        setattr(project, field, getattr(patch, field))
    _index(project)
    project.updated_at = utc_now()
    db.session.flush()
    changed = queries.get_project(actor, project_id)
    db.session.commit()
    send([embed_subjects_message()])
    return changed


@again_after_lost_race
def delete_project(actor: Actor, project_id: int, *, permanent: bool) -> None:
    """To the trash, or for good (also from the trash). Its bookmarks stay where they are.

    Raises:
        NotFound: there is no such project.
    """
    if permanent:
        mine = (Project.id == project_id, Project.organization_id == actor.organization_id)
        gone = db.session.scalar(delete(Project).where(*mine).returning(Project.id))
    else:
        which = update(Project).where(queries.live(actor), Project.id == project_id)
        gone = db.session.scalar(which.values(deleted_at=utc_now()).returning(Project.id))
    if gone is None:
        raise NotFound
    db.session.commit()


def restore_project(actor: Actor, project_id: int) -> ProjectOut:
    """Out of the trash, with what was attached to it; one that is not in it comes back as it is.

    Raises:
        NotFound: there is no such project.
    """
    which = update(Project).where(queries.trashed(actor), Project.id == project_id)
    db.session.execute(which.values(deleted_at=None, updated_at=utc_now()))
    project = queries.get_project(actor, project_id)
    db.session.commit()
    return project


def hold_projects(actor: Actor, project_ids: Collection[int]) -> set[int]:
    """Those of the ids that are projects of the organization outside the trash; none of them is deleted for good before
    the end of the transaction at hand. One statement, none without ids."""
    if not project_ids:
        return set()
    one_of = Project.id == any_(literal(sorted(project_ids), ARRAY(BigInteger)))
    which = select(Project.id).where(queries.live(actor), one_of).order_by(Project.id)
    return set(db.session.scalars(which.with_for_update(read=True, key_share=True)))


def _index(project: Project) -> None:
    project.name_key = sort_key(project.name)
    project.words = searchable_text(project.name, project.description)
    project.embedding_due_at = utc_now()
