"""What authentication knows without asking PostgreSQL: kept in Redis, for all processes, read in one round trip.

A session is live or revoked; a person has a role and memberships. What Redis does not know is read from PostgreSQL and
put there for some minutes, unless somebody else has put something there meanwhile. So who revokes or changes announces
a mark after the commit, and the mark wins over any reader that still holds what was before. While Redis is away, or
has only just come back (see `redis_gate`), everything is read from PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, func, update

from backend.actor import Role
from backend.auth.models import Session
from backend.cache.changes import changed_person
from backend.extensions import current_settings, db, redis_gate

KNOWN_SECONDS = 300
# A reader that holds what was before a change has answered long before this time is over.
CHANGED_SECONDS = 10
LIVE, REVOKED, CHANGED = b"+", b"-", b"!"
USER, SESSION, TOKEN, USED = "user:", "session:", "token:", "token-used:"
USED_SECONDS = 60

# Functions of Lua: what is known of a session and its person, or of an API token, its person, and whether this is its
# first use within a minute; then, if they are known, the person and their own or the token's organization.
LUA_CREDENTIALS = """
local function session(prefix, id, user)
    local found = redis.call('MGET', prefix .. 'session:' .. id, prefix .. 'user:' .. user)
    local organization = found[1] == '+' and found[2] and string.match(found[2], '^%d+')
    if not organization then return found end
    return found, user, organization
end
-- Whose a token is, if that is known.
local function owner_of(prefix, hash)
    local found = redis.call('GET', prefix .. 'token:' .. hash)
    return found and found ~= '-' and cjson.decode(found)['u']
end
local function token(prefix, hash, seconds)
    local found = redis.call('GET', prefix .. 'token:' .. hash)
    if not found or found == '-' then return {found} end
    local known = cjson.decode(found)
    local owner = redis.call('GET', prefix .. 'user:' .. known['u'])
    local first = redis.call('SET', prefix .. 'token-used:' .. hash, 1, 'NX', 'EX', seconds)
    if not owner or not string.match(owner, '^%d+') then return {found, owner, first} end
    return {found, owner, first}, known['u'], known['o']
end
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


def known_session(answer: Any, user_id: int) -> tuple[bool | None, Person | None]:
    """Whether the session is live, and the person, as far as Redis knows; `answer` is None while it is away."""
    return session_in(answer, user_id) if redis_gate().is_trusted else (None, None)


def session_in(answer: Any, user_id: int) -> tuple[bool | None, Person | None]:
    """What Redis's answer says of a session, be it trusted or not."""
    if answer is None:
        return None, None
    live, person = cast("list[bytes | None]", answer)
    return {LIVE: True, REVOKED: False}.get(live or b""), _person(user_id, person)


def known_token(answer: Any) -> tuple[KnownToken | bool | None, Person | None, bool]:
    """The token (False: revoked; None: not known), whose it is, and whether it is used for the first time in a minute.

    `answer` is None while Redis is away.
    """
    return token_in(answer) if redis_gate().is_trusted else (None, None, False)


def token_in(answer: Any) -> tuple[KnownToken | bool | None, Person | None, bool]:
    """What Redis's answer says of an API token, be it trusted or not."""
    if answer is None or answer[0] is None:
        return None, None, False
    if answer[0] == REVOKED:
        return False, None, False
    token = _token(orjson.loads(answer[0]))
    return token, _person(token.user_id, answer[1]), answer[2] is not None


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
    redis_gate().announce({f"{SESSION}{session_id}": (REVOKED, seconds) for session_id in session_ids})


def announce_deleted_token(token_hash: bytes) -> None:
    """Tell all processes that an API token is no more, after the commit that deleted it."""
    redis_gate().announce({TOKEN + token_hash.hex(): (REVOKED, KNOWN_SECONDS * 2)})


def forget_user(user_id: int) -> None:
    """Tell all processes that a person's role, memberships or state have changed, after the commit of it."""
    redis_gate().announce({f"{USER}{user_id}": (CHANGED, CHANGED_SECONDS)} | changed_person(user_id))


def _remember(entries: Mapping[str, bytes], marks: Mapping[str, int] | None = None) -> None:
    gate = redis_gate()
    gate.ask(
        lambda: [
            *(("SET", gate.key(name), value, "EX", KNOWN_SECONDS, "NX") for name, value in entries.items()),
            *(("SET", gate.key(name), 1, "EX", seconds, "NX") for name, seconds in (marks or {}).items()),
        ]
    )


def _as_entry(person: Person) -> dict[str, bytes]:
    value = {
        "a": person.is_admin,
        "d": person.is_disabled,
        "m": {str(organization_id): role for organization_id, role in person.memberships.items()},
    }
    # In front, where Lua reads it: the organization that a request is for which names none.
    return {f"{USER}{person.user_id}": b"%d%s" % (person.personal_organization_id, orjson.dumps(value))}


def _person(user_id: int, entry: bytes | None) -> Person | None:
    if entry is None or entry == CHANGED:
        return None
    organization, brace, rest = entry.partition(b"{")
    value = orjson.loads(brace + rest)
    memberships = {int(organization_id): role for organization_id, role in value["m"].items()}
    return Person(user_id, value["a"], value["d"], int(organization), memberships)


def _token(value: dict[str, Any]) -> KnownToken:
    return KnownToken(value["i"], value["u"], value["o"], frozenset(value["s"]), value["e"])
