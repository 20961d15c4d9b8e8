"""A simulated year of organizations: people who come and go, and what they do, from a seed; written to the tables."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from backend.activity.roll_ups import bucket_of
from backend.activity.types import ActivityType

YEAR = timedelta(days=400)
# How often what is done, of a hundred.
WEIGHTS = {
    ActivityType.BOOKMARK_CREATED: 30,
    ActivityType.BOOKMARK_UPDATED: 25,
    ActivityType.BOOKMARK_CAPTURED: 15,
    ActivityType.TASK_COMPLETED: 8,
    ActivityType.TASK_UPDATED: 8,
    ActivityType.RECOMMENDATION_OPENED: 6,
    ActivityType.BOOKMARK_IMPORTED: 4,
    ActivityType.PROJECT_UPDATED: 4,
}
COUNTED = (ActivityType.BOOKMARK_CREATED, ActivityType.BOOKMARK_IMPORTED, ActivityType.TASK_COMPLETED)
# Where offsets change, by half an hour in one of them and at midnight in another, and where they are no whole hours.
EDGES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo")
ROLES = ("owner", "editor", "viewer")

ORGANIZATION = text("INSERT INTO organizations (id, name, slug, personal) VALUES (:id, :name, :name, false)")
# Each has a personal organization of the same number, far above the teams'.
PERSON = text("""
    WITH own AS (
        INSERT INTO organizations (id, name, slug, personal) VALUES (:own, :name, :name, true) RETURNING id)
    INSERT INTO users (id, email, email_key, username, username_key, password_hash, role, personal_organization_id,
                       created_at)
    SELECT :id, :name, :name, :name, :name, '', 'user', id, :since FROM own
""")
MEMBERSHIP = text("""
    INSERT INTO memberships (user_id, organization_id, role, created_at) VALUES (:user, :organization, :role, :since)
""")
EVENTS = text("""
    INSERT INTO activity (organization_id, user_id, type, object_type, object_id, data, created_at)
    SELECT organization_id, user_id, type, split_part(type, '.', 1), CASE WHEN type LIKE 'user.%' THEN user_id END,
           CAST(data AS jsonb), moment
      FROM unnest(CAST(:organizations AS bigint[]), CAST(:users AS bigint[]), CAST(:types AS text[]),
                  CAST(:data AS text[]), CAST(:moments AS timestamptz[]))
        AS given(organization_id, user_id, type, data, moment)
""")
SEARCHES = text("""
    INSERT INTO activity_counts (organization_id, series, bucket, source, count)
    SELECT organization_id, 'searches', bucket, source, count
      FROM unnest(CAST(:organizations AS bigint[]), CAST(:buckets AS timestamptz[]), CAST(:sources AS text[]),
                  CAST(:counts AS bigint[])) AS given(organization_id, bucket, source, count)
""")
SOURCES = ("first", "second")
FIRST_ID = 1_000
BATCH = 20_000


@dataclass(frozen=True)
class Event:
    """One row of the log."""

    organization: int
    user: int | None
    type: str
    moment: datetime
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return int(self.data.get("count", 1))


@dataclass(frozen=True)
class Searches:
    """What one Redis has counted in a quarter of an hour, and the worker has written."""

    organization: int
    bucket: datetime
    source: str
    count: int


@dataclass(frozen=True)
class Member:
    """A person in an organization, from when on, and until when: None for those who are there."""

    organization: int
    user: int
    role: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class SimulatedYear:
    """Organizations, members, events and searches of a year that ends at `now`."""

    now: datetime
    organizations: Sequence[int]
    members: Sequence[Member]
    events: Sequence[Event]
    searches: Sequence[Searches] = ()


def simulate(
    seed: int, now: datetime, organizations: int, people: int, events: int, first_id: int = 1000
) -> SimulatedYear:
    """Make a year: bursts of events by members, a few at the edges of days, months and offsets."""
    chance = random.Random(seed)
    ids = range(FIRST_ID, FIRST_ID + organizations)
    members = [_member(chance, ids, FIRST_ID + number, now) for number in range(people)]
    made = [event for member in members for event in _membership_events(member)]
    made += [event for event in _edges(chance, members, now) if event.moment < now]
    while len(made) < events:
        made += _burst(chance, chance.choice(members), now)
    return SimulatedYear(now, list(ids), members, made, _searches(chance, made))


def write_year(connection: Connection, year: SimulatedYear) -> None:
    """Write a year to empty tables; content is left to the caller."""
    for id_ in year.organizations:
        connection.execute(ORGANIZATION, {"id": id_, "name": f"team-{id_}"})
    for member in year.members:
        names = {"own": 10**6 + member.user, "name": f"person-{member.user}", "since": member.since}
        connection.execute(PERSON, {"id": member.user, **names})
        if member.until is None:
            values = {"user": member.user, "organization": member.organization, "role": member.role}
            connection.execute(MEMBERSHIP, {**values, "since": member.since})
    for start in range(0, len(year.events), BATCH):
        connection.execute(EVENTS, _columns(year.events[start : start + BATCH]))
    connection.execute(
        SEARCHES,
        {
            "organizations": [one.organization for one in year.searches],
            "buckets": [one.bucket for one in year.searches],
            "sources": [one.source for one in year.searches],
            "counts": [one.count for one in year.searches],
        },
    )


def _columns(events: Sequence[Event]) -> dict[str, list[Any]]:
    return {
        "organizations": [event.organization for event in events],
        "users": [event.user for event in events],
        "types": [event.type for event in events],
        "data": [json.dumps(event.data) for event in events],
        "moments": [event.moment for event in events],
    }


def _member(chance: random.Random, organizations: range, user: int, now: datetime) -> Member:
    since = now - timedelta(seconds=chance.randrange(1, int(YEAR.total_seconds())))
    until = since + (now - since) * chance.random() if chance.random() < 0.2 else None
    number = user - organizations.start
    organization = organizations[number % len(organizations)]
    return Member(organization, user, ROLES[0] if number < len(organizations) else chance.choice(ROLES), since, until)


def _membership_events(member: Member) -> Iterator[Event]:
    yield Event(member.organization, member.user, ActivityType.MEMBER_JOINED.value, member.since)
    if member.until is not None:
        since = {"member_since": member.since.isoformat()}
        yield Event(member.organization, member.user, ActivityType.MEMBER_LEFT.value, member.until, since)


def _burst(chance: random.Random, member: Member, now: datetime) -> Iterator[Event]:
    moment = member.since + ((member.until or now) - member.since) * chance.random()
    for _ in range(chance.randrange(1, 12)):
        if moment >= now:
            return
        yield _event(chance, member, moment)
        # Sessions end at half an hour: some gaps are right beside it.
        moment += chance.choice(
            [timedelta(seconds=chance.randrange(1, 900)), timedelta(minutes=30), timedelta(minutes=30, microseconds=1)]
        )


def _event(chance: random.Random, member: Member, moment: datetime) -> Event:
    [kind] = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
    is_many = kind is ActivityType.BOOKMARK_IMPORTED or (kind in COUNTED and chance.random() < 0.1)
    data = {"count": chance.randrange(2, 50)} if is_many else {}
    user = None if kind is ActivityType.BOOKMARK_CAPTURED else member.user
    return Event(member.organization, user, kind.value, moment, data)


def _searches(chance: random.Random, events: Sequence[Event]) -> list[Searches]:
    """Make counts in the quarters of an hour of every tenth event: the edges are among them."""
    keys = {(event.organization, bucket_of(event.moment), chance.choice(SOURCES)) for event in events[::10]}
    return [Searches(*key, chance.randrange(1, 9)) for key in sorted(keys)]


def _edges(chance: random.Random, members: Sequence[Member], now: datetime) -> Iterator[Event]:
    """Events in the last and first moments of all local days at which a month begins or an offset changes."""
    for zone in map(ZoneInfo, EDGES):
        for days in range(400):
            midnight = datetime.combine((now - timedelta(days=days)).date(), datetime.min.time(), zone)
            next_midnight = midnight + timedelta(days=1)
            is_edge = midnight.day == 1 or midnight.utcoffset() != next_midnight.utcoffset()
            for moment in (midnight, next_midnight) if is_edge else ():
                for offset in (timedelta(microseconds=-1), timedelta(0), timedelta(hours=2, minutes=15)):
                    yield _event(chance, chance.choice(members), (moment.astimezone(UTC) + offset))
