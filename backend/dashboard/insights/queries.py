"""Queries of insights: a fixed number of statements, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from backend.actor import Actor
from backend.clock import utc_now
from backend.dashboard.insights.schemas import (
    AgeOut,
    BacklogOut,
    ForgottenProjectOut,
    InsightsOut,
    InsightsResponse,
    ReadingPaceOut,
    TagPairOut,
    TrendOut,
    WeekOut,
)
from backend.dashboard.responses import enclosed
from backend.extensions import db
from backend.named_blocks import read_statements

SQL = read_statements(__file__)
# Days from the first day of a week to the ISO weekday 7, a Sunday, in arithmetic modulo 7.
DAYS_BEFORE = {"monday": 6, "sunday": 0, "saturday": 1}
# Bounds of the ages of unread bookmarks, in days.
AGES = (("days_7", 0, 7), ("days_30", 7, 30), ("days_90", 30, 90), ("days_365", 90, 365), ("older", 365, None))


@dataclass(frozen=True)
class _Person:
    """Whose rows are counted, and how their days and weeks begin."""

    actor: Actor
    values: dict[str, Any]

    def rows(self, name: str) -> Sequence[Row[Any]]:
        return db.session.execute(SQL[name], self.values).all()


def read_insights(actor: Actor) -> InsightsResponse:
    """Count what a person reads and saves: of their personal organization everything, of a team what they saved.

    Seven statements, fewer where the credential reaches less.
    """
    now, person = utc_now(), _person(actor)
    reads_bookmarks = actor.may("bookmarks:read")
    data = InsightsOut(
        time_zone=person.values["zone"],
        reading_pace=_reading_pace(person) if reads_bookmarks else None,
        backlog=_backlog(person) if reads_bookmarks else None,
        top_tags=_trends(person, "top_tags") if reads_bookmarks else None,
        top_domains=_trends(person, "top_domains") if reads_bookmarks else None,
        tag_pairs=_tag_pairs(person) if reads_bookmarks else None,
        forgotten_projects=_forgotten_projects(person) if actor.may("projects:read") else None,
    )
    return enclosed(InsightsResponse, data, "dashboard", now)


def read_reading_pace(actor: Actor) -> ReadingPaceOut:
    """Count what a person has read in each of twelve weeks. Two statements.

    Raises:
        Forbidden: the credential does not reach bookmarks.
    """
    actor.require("bookmarks:read")
    return _reading_pace(_person(actor))


def read_top_tags(actor: Actor) -> list[TrendOut]:
    """Return the tags that a person saves most, as `read_insights` does. Two statements.

    Raises:
        Forbidden: the credential does not reach bookmarks.
    """
    actor.require("bookmarks:read")
    return _trends(_person(actor), "top_tags")


def _person(actor: Actor) -> _Person:
    values = {"user": actor.user_id, "organization": actor.organization_id}
    row = db.session.execute(SQL["person"], values).one()
    values |= {"zone": row.time_zone, "days_before": DAYS_BEFORE[row.week_start], "everything": row.personal}
    return _Person(actor, values)


def _reading_pace(person: _Person) -> ReadingPaceOut:
    weeks = [WeekOut.model_validate(row) for row in person.rows("reading_pace")]
    whole = weeks[:-1]
    return ReadingPaceOut(weeks=weeks, per_week=round(sum(week.read for week in whole) / len(whole), 2))


def _backlog(person: _Person) -> BacklogOut:
    [row] = person.rows("backlog")
    ages = [AgeOut(from_days=since, to_days=until, unread=getattr(row, name)) for name, since, until in AGES]
    return BacklogOut(total=row.total, oldest_created_at=row.oldest_created_at, by_age=ages)


def _trends(person: _Person, name: str) -> list[TrendOut]:
    return [
        TrendOut(name=row.name, saved=row.saved, saved_before=row.saved_before, change=_change(row))
        for row in person.rows(name)
    ]


def _change(row: Row[Any]) -> float | None:
    return round(row.saved / row.saved_before - 1, 3) if row.saved_before else None


def _tag_pairs(person: _Person) -> list[TagPairOut]:
    return [TagPairOut(tags=[row.first, row.second], bookmarks=row.bookmarks) for row in person.rows("tag_pairs")]


def _forgotten_projects(person: _Person) -> list[ForgottenProjectOut]:
    return [ForgottenProjectOut.model_validate(row) for row in person.rows("forgotten_projects")]
