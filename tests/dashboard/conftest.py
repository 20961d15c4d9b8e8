"""A simulated year in the tables, and a client in one of its organizations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from backend.activity import roll_ups
from backend.auth.clients import Client
from backend.auth.models import User
from backend.auth.service import create_session
from backend.clock import utc_now
from backend.extensions import db
from backend.redis.client import redis_client
from benchmarks.simulated_content import SimulatedContent, simulate_content, write_content
from benchmarks.simulated_year import SimulatedYear, simulate, write_year
from tests.support.api import Api
from tests.support.tables import empty_tables


@pytest.fixture(scope="module")
def year(migrated_app: Flask) -> Iterator[SimulatedYear]:
    """Twenty organizations with 200 people: written once for a module, whose tests only read."""
    simulated = simulate(7, utc_now(), organizations=20, people=200, events=12_000)
    with migrated_app.app_context():
        with db.engine.begin() as connection:
            empty_tables(connection)
            write_year(connection, simulated)
        # In a transaction of its own: while tables are emptied no trigger counts.
        with db.engine.begin() as connection:
            write_content(connection, content_of(simulated))
        redis_client().flushall()
        roll_ups.roll_up()
        yield simulated
        db.session.remove()


def content_of(year: SimulatedYear) -> SimulatedContent:
    """Bookmarks, projects and tasks in all states; each time the same."""
    return simulate_content(8, year, bookmarks=2_000, projects=200, tasks=1_000)


class MemberApi(Api):
    """A client of a person who acts in the organization of a team."""

    def __init__(self, app: Flask, user_id: int, team: int) -> None:
        with app.app_context():
            user = db.session.get_one(User, user_id)
            session = create_session(user, Client("tests", "127.0.0.1"))
            db.session.commit()
            db.session.remove()
        super().__init__(app, session=session.model_dump(mode="json"))
        self.team = team

    def request(self, method, path, **options):  # type: ignore[no-untyped-def]
        headers = {"X-Organization-ID": str(self.team), **(options.pop("headers", None) or {})}
        return super().request(method, path, headers=headers, **options)


@pytest.fixture(scope="module")
def members(migrated_app: Flask, year: SimulatedYear) -> list[MemberApi]:
    """A member of each organization."""
    present = {member.organization: member.user for member in year.members if member.until is None}
    return [MemberApi(migrated_app, present[team], team) for team in year.organizations]
