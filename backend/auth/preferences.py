"""Preferences of a person that change how numbers about days and weeks are computed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from backend.actor import Actor
from backend.auth.models import User
from backend.extensions import db

# The days with which weeks begin, as `date.weekday` counts.
WEEKDAYS = {"monday": 0, "saturday": 5, "sunday": 6}


@dataclass(frozen=True)
class PersonCalendar:
    """Where a person's days and weeks begin; `first_weekday` as `date.weekday` counts."""

    zone: ZoneInfo
    first_weekday: int


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the last second of a day in a time zone, in UTC."""
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def time_zone_of(actor: Actor) -> ZoneInfo:
    """Read the time zone in which the actor's days begin: one statement. `key` of the zone is its IANA name."""
    return time_zone_named(db.session.scalar(select(User.time_zone).where(User.id == actor.user_id)) or "UTC")


def calendar_of(actor: Actor) -> PersonCalendar:
    """Read where the actor's days and weeks begin: one statement."""
    row = db.session.execute(select(User.time_zone, User.week_start).where(User.id == actor.user_id)).one()
    return PersonCalendar(time_zone_named(row.time_zone), WEEKDAYS[row.week_start])


def time_zone_named(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name; UTC where it is not known any more."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        # The database of time zones that took the name was another one.
        return ZoneInfo("UTC")
