"""Bookmarks, projects and tasks of the organizations of a simulated year, in all states, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from sqlalchemy import Connection, text

from backend.bookmarks.models import CAPTURE_STATUSES
from backend.projects.schemas import ProjectStatus
from backend.tasks.schemas import Status as TaskStatus
from benchmarks.simulated_year import SimulatedYear

FIRST_ID = 10**6
BATCH = 5_000
BOOKMARKS = text("""
    INSERT INTO bookmarks (organization_id, url, url_hash, domain, title, capture_status, is_read, is_favorite,
                           is_archived, deleted_at, created_at)
    SELECT organization, 'https://example.org/' || id, sha256(CAST(CAST(id AS text) AS bytea)), 'example.org',
           'Title ' || id, status, is_read, is_favorite, is_archived, CASE WHEN is_deleted THEN now() END, created_at
      FROM unnest(CAST(:id AS bigint[]), CAST(:organization AS bigint[]), CAST(:status AS text[]),
                  CAST(:is_read AS boolean[]), CAST(:is_favorite AS boolean[]), CAST(:is_archived AS boolean[]),
                  CAST(:is_deleted AS boolean[]), CAST(:created_at AS timestamptz[]))
        AS given(id, organization, status, is_read, is_favorite, is_archived, is_deleted, created_at)
""")
PROJECTS = text("""
    INSERT INTO projects (id, organization_id, name, name_key, status, deleted_at)
    SELECT id, organization, 'Project ' || id, 'project ' || id, status, CASE WHEN is_deleted THEN now() END
      FROM unnest(CAST(:id AS bigint[]), CAST(:organization AS bigint[]), CAST(:status AS text[]),
                  CAST(:is_deleted AS boolean[])) AS given(id, organization, status, is_deleted)
""")
TASKS = text("""
    INSERT INTO tasks (organization_id, project_id, title, status, completed_at, position, deleted_at)
    SELECT organization, project, 'Task ' || id, status, CASE WHEN status = 'done' THEN now() END, id,
           CASE WHEN is_deleted THEN now() END
      FROM unnest(CAST(:id AS bigint[]), CAST(:organization AS bigint[]), CAST(:project AS bigint[]),
                  CAST(:status AS text[]), CAST(:is_deleted AS boolean[]))
        AS given(id, organization, project, status, is_deleted)
""")


@dataclass(frozen=True)
class SimulatedBookmark:
    """A row of the bookmarks."""

    id: int
    organization: int
    status: str
    is_read: bool
    is_favorite: bool
    is_archived: bool
    is_deleted: bool
    created_at: datetime


@dataclass(frozen=True)
class SimulatedProject:
    """A row of the projects."""

    id: int
    organization: int
    status: str
    is_deleted: bool


@dataclass(frozen=True)
class SimulatedTask:
    """A row of the tasks; `project` is None for those of none."""

    id: int
    organization: int
    project: int | None
    status: str
    is_deleted: bool


@dataclass(frozen=True)
class SimulatedContent:
    """What the organizations hold."""

    bookmarks: Sequence[SimulatedBookmark]
    projects: Sequence[SimulatedProject]
    tasks: Sequence[SimulatedTask]


def simulate_content(seed: int, year: SimulatedYear, bookmarks: int, projects: int, tasks: int) -> SimulatedContent:
    """Make rows of random organizations and states; every eighth is in the trash."""
    chance = random.Random(seed)
    made = [_project(chance, year, FIRST_ID + number) for number in range(projects)]
    return SimulatedContent(
        [_bookmark(chance, year, FIRST_ID + number) for number in range(bookmarks)],
        made,
        [_task(chance, year, made, FIRST_ID + number) for number in range(tasks)],
    )


def write_content(connection: Connection, content: SimulatedContent) -> None:
    """Write the rows."""
    for statement, rows in ((BOOKMARKS, content.bookmarks), (PROJECTS, content.projects), (TASKS, content.tasks)):
        for columns in _batches(rows):
            connection.execute(statement, columns)


def _batches(rows: Sequence[Any]) -> Iterator[dict[str, list[Any]]]:
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        yield {name: [getattr(row, name) for row in batch] for name in vars(batch[0])}


def _bookmark(chance: random.Random, year: SimulatedYear, id_: int) -> SimulatedBookmark:
    return SimulatedBookmark(
        id_,
        chance.choice(year.organizations),
        chance.choice(CAPTURE_STATUSES),
        *(chance.random() < share for share in (0.6, 0.1, 0.2, 0.125)),
        year.now - timedelta(minutes=chance.randrange(1, 500_000)),
    )


def _project(chance: random.Random, year: SimulatedYear, id_: int) -> SimulatedProject:
    status = chance.choice(get_args(ProjectStatus))
    return SimulatedProject(id_, chance.choice(year.organizations), status, chance.random() < 0.125)


def _task(chance: random.Random, year: SimulatedYear, projects: Sequence[SimulatedProject], id_: int) -> SimulatedTask:
    project = chance.choice(projects) if projects and chance.random() < 0.7 else None
    organization = project.organization if project else chance.choice(year.organizations)
    status = chance.choice(get_args(TaskStatus))
    return SimulatedTask(id_, organization, project.id if project else None, status, chance.random() < 0.125)
