"""What authentication knows without asking PostgreSQL: kept in Redis, for all processes, read in one round trip.

A session is live or revoked; a person has a role and memberships. What Redis does not know is read from PostgreSQL and
put there for some minutes, unless somebody else has put something there meanwhile. So who revokes or changes writes a
mark after the commit, and the mark wins over any reader that still holds what was before. While Redis is away
everything is read from PostgreSQL, and marks that could not be written are written by the first request after.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import orjson
import redis
from loguru import logger
from sqlalchemy import ColumnElement, func, update

from backend.actor import Role
from backend.auth.models import Session
from backend.extensions import current_settings, db, redis_client

KNOWN_SECONDS = 300
# A reader that holds what was before a change has answered long before this time is over.
CHANGED_SECONDS = 10
LIVE, REVOKED, CHANGED = b"+", b"-", b"!"
# After a failure Redis is left alone for a moment: if it hangs, not every request should wait for it.
PAUSE_SECONDS = 1.0
USER, SESSION, TOKEN, USED = "fuze:user:", "fuze:session:", "fuze:token:", "fuze:token-used:"
USED_SECONDS = 60

# The token, whose it is, and whether this is its first use within a minute.
READ = """
local token = redis.call('GET', KEYS[1])
if not token or token == '-' then return {token} end
local owner = redis.call('GET', ARGV[1] .. cjson.decode(token)['u'])
return {token, owner, redis.call('SET', KEYS[2], 1, 'NX', 'EX', ARGV[2])}
"""


@dataclass(frozen=True)
class Person:
    """What is known of a person: `memberships` are roles by organization."""

    user_id: int
    is_admin: bool
    is_disabled: bool
    personal_organization_id: int
    memberships: Mapping[int, Role]


@dataclass(frozen=True)
class KnownToken:
    """What is known of an API token; `expires_at` in seconds since 1970."""

    token_id: int
    user_id: int
    organization_id: int
    scopes: frozenset[str]
    expires_at: float | None


@dataclass
class _Marks:
    """Of this process: marks that Redis has not got yet, with until when they matter, and whether it is left alone."""

    lock: threading.Lock
    unsent: dict[str, tuple[bytes, int, float]]
    away_until: float = 0.0


_marks = _Marks(threading.Lock(), {})


def read_session(session_id: UUID, user_id: int) -> tuple[bool | None, Person | None]:
    """Whether the session is live, and the person, as far as Redis knows. One round trip."""
    found = _ask(lambda client: client.mget(f"{SESSION}{session_id}", f"{USER}{user_id}"))
    if found is None:
        return None, None
    live, person = cast("list[bytes | None]", found)
    return {LIVE: True, REVOKED: False}.get(live or b""), _person(user_id, person)


def read_token(token_hash: bytes) -> tuple[KnownToken | bool | None, Person | None, bool]:
    """The token (False: revoked; None: not known), whose it is, and whether it is used for the first time in a minute.

    One round trip.
    """
    key = token_hash.hex()
    found = _ask(lambda client: client.eval(READ, 2, TOKEN + key, USED + key, USER, USED_SECONDS))
    if found is None or found[0] is None:
        return None, None, False
    if found[0] == REVOKED:
        return False, None, False
    token = _token(orjson.loads(found[0]))
    return token, _person(token.user_id, found[1]), found[2] is not None


def remember_session(session_id: UUID, person: Person) -> None:
    """Let all processes know a live session and its person, as PostgreSQL has just told them."""
    _remember({f"{SESSION}{session_id}": LIVE, **_as_entry(person)})


def remember_token(token_hash: bytes, token: KnownToken, person: Person) -> None:
    """Let all processes know an API token and its person, as PostgreSQL has just told them."""
    value = {
        "i": token.token_id,
        "u": token.user_id,
        "o": token.organization_id,
        "s": sorted(token.scopes),
        "e": token.expires_at,
    }
    key = token_hash.hex()
    _remember({TOKEN + key: orjson.dumps(value), **_as_entry(person)}, {USED + key: USED_SECONDS})


def revoke_sessions(*which: ColumnElement[bool]) -> list[UUID]:
    """Revoke these sessions in the transaction at hand; their ids, for `announce_revoked` after the commit."""
    statement = update(Session).where(*which, Session.revoked_at.is_(None)).values(revoked_at=func.now())
    return list(db.session.scalars(statement.returning(Session.id)))


def announce_revoked(session_ids: Iterable[UUID]) -> None:
    """Tell all processes that these sessions are over, after the commit that revoked them. One round trip."""
    seconds = current_settings().ACCESS_TOKEN_MINUTES * 60 + 60
    _mark({f"{SESSION}{session_id}": (REVOKED, seconds) for session_id in session_ids})


def announce_deleted_token(token_hash: bytes) -> None:
    """Tell all processes that an API token is no more, after the commit that deleted it."""
    _mark({TOKEN + token_hash.hex(): (REVOKED, KNOWN_SECONDS * 2)})


def forget_user(user_id: int) -> None:
    """Tell all processes that a person's role, memberships or state have changed, after the commit of it."""
    _mark({f"{USER}{user_id}": (CHANGED, CHANGED_SECONDS)})


def _ask(question: Any) -> Any:
    """Redis's answer, after what it has not been told yet; None while it is away."""
    if time.monotonic() < _marks.away_until or not _send_unsent():
        return None
    try:
        return question(redis_client())
    except redis.RedisError as error:
        _note_failure(error)
        return None


def _remember(entries: Mapping[str, bytes], marks: Mapping[str, int] | None = None) -> None:
    if time.monotonic() < _marks.away_until:
        return
    try:
        with redis_client().pipeline(transaction=False) as pipeline:
            for key, value in entries.items():
                pipeline.set(key, value, ex=KNOWN_SECONDS, nx=True)
            for key, seconds in (marks or {}).items():
                pipeline.set(key, 1, ex=seconds, nx=True)
            pipeline.execute()
    except redis.RedisError as error:
        _note_failure(error)


def _mark(marks: Mapping[str, tuple[bytes, int]]) -> None:
    now = time.monotonic()
    with _marks.lock:
        _marks.unsent |= {key: (value, seconds, now + seconds) for key, (value, seconds) in marks.items()}
    _send_unsent()


def _send_unsent() -> bool:
    """Write the marks that wait, if there are any; whether none is left."""
    with _marks.lock:
        waiting = {key: mark for key, mark in _marks.unsent.items() if mark[2] > time.monotonic()}
        _marks.unsent = dict(waiting)
    if not waiting:
        return True
    try:
        with redis_client().pipeline(transaction=False) as pipeline:
            for key, (value, seconds, _) in waiting.items():
                pipeline.set(key, value, ex=seconds)
            pipeline.execute()
    except redis.RedisError as error:
        _note_failure(error)
        return False
    with _marks.lock:
        _marks.unsent = {key: mark for key, mark in _marks.unsent.items() if waiting.get(key) != mark}
    return True


def _note_failure(error: redis.RedisError) -> None:
    _marks.away_until = time.monotonic() + PAUSE_SECONDS
    logger.warning("sessions are read from the database: {}", error)


def _as_entry(person: Person) -> dict[str, bytes]:
    value = {
        "a": person.is_admin,
        "d": person.is_disabled,
        "p": person.personal_organization_id,
        "m": {str(organization_id): role for organization_id, role in person.memberships.items()},
    }
    return {f"{USER}{person.user_id}": orjson.dumps(value)}


def _person(user_id: int, entry: bytes | None) -> Person | None:
    if entry is None or entry == CHANGED:
        return None
    value = orjson.loads(entry)
    memberships = {int(organization_id): role for organization_id, role in value["m"].items()}
    return Person(user_id, value["a"], value["d"], value["p"], memberships)


def _token(value: dict[str, Any]) -> KnownToken:
    return KnownToken(value["i"], value["u"], value["o"], frozenset(value["s"]), value["e"])
