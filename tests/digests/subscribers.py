"""People who want digests, and what is put right into the tables for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from backend.extensions import db
from tests.support.api import Api

DUE = "UPDATE users SET digest_due_at = now() - interval '1 minute' WHERE digest_due_at IS NOT NULL"


def execute(api: Api, statement: str, **values: Any) -> Any:
    """Send a statement; its first row, if it gives any."""
    with api.app.app_context():
        found = db.session.execute(text(statement), values)
        first = found.first() if found.returns_rows else None
        db.session.commit()
        db.session.remove()
    return first


def subscribe(*people: Api, language: str = "en", **preferences: Any) -> None:
    """Ask for digests with a verified address; they are due at once."""
    for person in people:
        execute(person, "UPDATE users SET email_verified_at = now() WHERE id = :id", id=person.user_id)
        headers = {"Accept-Language": language}
        assert person.patch("/profile", {"digest": True, **preferences}, headers=headers).status_code == 200
    execute(people[0], DUE)


def next_week(api: Api) -> None:
    """As if seven days had gone by since the last digests."""
    execute(api, "UPDATE digests SET week = week - 7, created_at = created_at - interval '7 days'")
    execute(api, DUE)


def due_at(person: Api) -> Any:
    """When the next digest is due; None where none is wanted."""
    return execute(person, "SELECT digest_due_at FROM users WHERE id = :id", id=person.user_id)[0]
