"""Leases on rows: a claim holds until its lease ends or the row changes, and a failure puts the work off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from backend.clock import utc_now
from backend.extensions import db
from backend.leases import BackOff, DueRows
from backend.projects.models import Project
from backend.recommendations.embeddings import COLUMNS
from backend.tasks.models import Task
from tests.support.api import Api
from tests.support.sql import SqlCounter

DUE = DueRows(Project.embedding_due_at)


@pytest.fixture
def projects(context: Flask, ada: Api) -> list[int]:
    """Three projects, due one after the other."""
    ids = [ada.post("/projects", {"name": name}).json["id"] for name in ("first", "second", "third")]
    for place, id_ in enumerate(ids):
        _set_due(id_, func.now() - timedelta(minutes=3 - place))
    return ids


def _set_due(project_id: int, due_at: Any) -> None:
    db.session.execute(update(Project).where(Project.id == project_id).values(embedding_due_at=due_at))
    db.session.commit()


def _due(project_id: int) -> Any:
    return db.session.scalar(select(Project.embedding_due_at).where(Project.id == project_id))


def _claim(batch: int = 10) -> list[int]:
    return sorted(row.id for row in DUE.claim(batch=batch, lease_seconds=60))


@pytest.mark.unit
def test_delays_grow_and_end() -> None:
    assert BackOff.exponential(30, attempts=3) == BackOff((30, 120))
    back_off = BackOff((60, 300))
    assert [back_off.delay_after(attempt) for attempt in (1, 2, 3, 4)] == [60, 300, None, None]
    assert (back_off.attempts, BackOff(()).attempts) == (3, 1)


@pytest.mark.integration
@pytest.mark.requires_db
class TestDueRows:
    def test_the_longest_due_are_claimed_and_for_nobody_else(self, projects: list[int]) -> None:
        rows = DUE.claim(Project.name, batch=2, lease_seconds=60)
        assert sorted((row.id, row.name) for row in rows) == list(zip(projects, ("first", "second"), strict=False))
        assert _claim() == projects[2:]
        assert _claim() == []

    def test_no_plan_claims_more_than_a_batch(self, projects: list[int]) -> None:
        # A nested loop runs a subquery of IN for each row: locked rows are passed over, and others come in their place.
        for method in ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize", "indexscan", "bitmapscan"):
            db.session.execute(text(f"SET LOCAL enable_{method} = off"))
        assert _claim(batch=2) == projects[:2]

    def test_a_lease_that_has_ended_is_claimed_again(self, projects: list[int]) -> None:
        DUE.claim(batch=10, lease_seconds=-1)
        assert _claim() == projects

    def test_rows_that_another_transaction_has_locked_are_passed_over(self, projects: list[int]) -> None:
        with db.engine.connect() as other:
            other.execute(text("SELECT 1 FROM projects WHERE id = :id FOR UPDATE"), {"id": projects[0]})
            assert _claim() == projects[1:]

    def test_an_edit_voids_the_claim(self, projects: list[int]) -> None:
        claims = DUE.claim(batch=10, lease_seconds=60)
        _set_due(projects[1], func.now())
        held = [projects[0], projects[2]]
        assert sorted(claim.id for claim in DUE.lock(claims)) == held
        assert len(DUE.complete(claims)) == 1
        db.session.commit()
        assert [id_ for id_ in projects if _due(id_) is None] == held
        assert _claim() == [projects[1]]

    def test_a_failure_rolls_back_and_puts_the_rows_off(self, projects: list[int]) -> None:
        claims = DUE.claim(batch=10, lease_seconds=600)

        def fail() -> None:
            DUE.complete(claims)
            raise KeyError("vectors")

        with pytest.raises(KeyError), DUE.released_on_failure(claims, seconds=30):
            fail()
        waits = [(_due(id_) - utc_now()).total_seconds() for id_ in projects]
        assert all(0 < wait < 31 for wait in waits)

    @pytest.mark.parametrize("model", [Project, Task])
    def test_what_is_due_is_found_by_its_index(self, context: Flask, sql: SqlCounter, model: Any) -> None:
        DueRows(model.embedding_due_at).claim(*COLUMNS[model.__name__.lower()], batch=64, lease_seconds=60)
        [statement], [values] = sql.statements, sql.parameters
        # Of a table of a few rows all are as soon read in any other way.
        for method in ("seqscan", "bitmapscan"):
            db.session.execute(text(f"SET LOCAL enable_{method} = off"))
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
        assert any(f"Index Scan using ix_{model.__tablename__}_embedding_due" in line for line in plan), plan
        assert any("LockRows" in line for line in plan), plan
