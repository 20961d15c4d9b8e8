"""What recommendations are for: a project, a task, a bookmark, a text, or the person."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, Select, func, select

from backend.actor import Actor
from backend.bookmarks import queries as bookmarks
from backend.bookmarks.models import Bookmark
from backend.errors import NotFound
from backend.extensions import db
from backend.projects import queries as projects
from backend.projects.models import Project
from backend.recommendations.models import SubjectEmbedding
from backend.recommendations.schemas import RecommendationQuery
from backend.tasks import queries as tasks
from backend.tasks.models import Task

# Of a description the beginning says what it is about; the rest would only take time.
READ_CHARACTERS = 2_000


@dataclass(frozen=True)
class Subject:
    """What is recommended for.

    Attributes:
        key: Its name in the tables, such as `project:7`.
        noun: Its name in reasons, such as "the project".
        title: Its few words that matter most.
        body: The other ones.
        technologies: What a project is made with; by these tags are compared.
        project_id: The project itself, or the task's.
        task_id, bookmark_id: The subject itself.
        vector: Of its text under the present model, as PostgreSQL sends it, if the worker has made it.
    """

    key: str
    noun: str
    title: str = ""
    body: str = ""
    technologies: tuple[str, ...] = field(default=())
    project_id: int | None = None
    task_id: int | None = None
    bookmark_id: int | None = None
    vector: bytes | None = None

    @property
    def text(self) -> str:
        """All that is embedded of it; empty for a person."""
        return text_of(self.title, self.body, self.technologies)


def text_of(title: str, body: str, technologies: tuple[str, ...] = ()) -> str:
    """What is embedded of a project or task. A stored vector is of this text."""
    return "\n".join(part for part in (title, body, ", ".join(technologies)) if part)[:READ_CHARACTERS]


def read_subject(actor: Actor, query: RecommendationQuery, model: str | None) -> Subject:
    """What is asked for. One statement; none for a text or the person.

    Raises:
        NotFound: there is no such project, task or bookmark outside the trash.
    """
    if query.project_id is not None:
        return _project(_only(_select_project(actor, query.project_id, model)))
    if query.task_id is not None:
        return _task(_only(_select_task(actor, query.task_id, model)))
    if query.bookmark_id is not None:
        return _bookmark(_only(_select_bookmark(actor, query.bookmark_id)))
    if query.text is not None and query.text.strip():
        return Subject(f"text:{sha256(query.text.strip().encode()).hexdigest()[:32]}", "the text", query.text.strip())
    return Subject("person", "you")


def _only(which: Select[Any]) -> Row[Any]:
    row = db.session.execute(which).one_or_none()
    if row is None:
        raise NotFound
    return row


def _select_project(actor: Actor, project_id: int, model: str | None) -> Select[Any]:
    vector = select(func.halfvec_send(SubjectEmbedding.embedding)).where(
        SubjectEmbedding.project_id == Project.id, SubjectEmbedding.model == model, Project.embedding_due_at.is_(None)
    )
    description = func.left(Project.description, READ_CHARACTERS).label("description")
    found = select(
        Project.id, Project.name, description, Project.technologies, vector.scalar_subquery().label("vector")
    )
    return found.where(projects.live(actor), Project.id == project_id)


def _project(row: Row[Any]) -> Subject:
    return Subject(
        f"project:{row.id}",
        "the project",
        row.name,
        row.description,
        tuple(row.technologies),
        project_id=row.id,
        vector=_bytes(row.vector),
    )


def _select_task(actor: Actor, task_id: int, model: str | None) -> Select[Any]:
    vector = select(func.halfvec_send(SubjectEmbedding.embedding)).where(
        SubjectEmbedding.task_id == Task.id, SubjectEmbedding.model == model, Task.embedding_due_at.is_(None)
    )
    description = func.left(Task.description, READ_CHARACTERS).label("description")
    technologies = select(Project.technologies).where(Project.id == Task.project_id).scalar_subquery()
    found = select(
        *(Task.id, Task.title, description, Task.project_id, technologies.label("technologies")),
        vector.scalar_subquery().label("vector"),
    )
    return found.where(tasks.live(actor), Task.id == task_id)


def _task(row: Row[Any]) -> Subject:
    return Subject(
        f"task:{row.id}",
        "the task",
        row.title,
        row.description,
        tuple(row.technologies or ()),
        project_id=row.project_id,
        task_id=row.id,
        vector=_bytes(row.vector),
    )


def _select_bookmark(actor: Actor, bookmark_id: int) -> Select[Any]:
    description = func.left(Bookmark.description, READ_CHARACTERS).label("description")
    found = select(Bookmark.id, Bookmark.title, description)
    return found.where(bookmarks.not_trashed(actor), Bookmark.id == bookmark_id)


def _bookmark(row: Row[Any]) -> Subject:
    return Subject(f"bookmark:{row.id}", "the bookmark", row.title, row.description, bookmark_id=row.id)


def _bytes(value: memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
