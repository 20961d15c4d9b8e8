"""What authentication knows without asking PostgreSQL: kept in Redis, for all processes, read in one round trip.

A session is live or revoked; a person has a role and memberships. What Redis does not know is read from PostgreSQL and
put there for some minutes, unless somebody else has put something there meanwhile. So who revokes or changes announces
a mark after the commit, and the mark wins over any reader that still holds what was before. While Redis is away, or
has only just come back (see `redis_gate`), everything is read from PostgreSQL.

Entries are signed: what somebody else wrote there is as if it were not there. Marks are not, since they take away only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, func, update

from backend.actor import Role, reach_of_token
from backend.auth.entry_signing import EntrySigner, entry_signer
from backend.auth.models import Session
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import person_invalidation
from backend.redis.client import redis_gate
from backend.redis.resilient import Script

KNOWN_SECONDS = 300
# A reader that holds what was before a change has answered long before this time is over.
CHANGED_SECONDS = 10
LIVE, REVOKED, CHANGED = b"+", b"-", b"!"
USER, SESSION, TOKEN, USED = "user:", "session:", "token:", "token-used:"
USED_SECONDS = 60
# The end in an entry's signature is later than its key's, so that no entry is read again only because clocks differ.
SIGNED_SECONDS = KNOWN_SECONDS + 10
# What a process has read of entries, and the longest that it keeps.
REMEMBERED, LONGEST_REMEMBERED = 1_024, 4_096

# Functions of Lua: what is known of a session and its person, or of an API token, its person, and whether this is its
# first use within a minute; then, if they are known, the person, their own or the token's organization, and what the
# credential reaches, as `Actor.reach` has it. They believe what they find, signed or not: what Redis looked up for them
# counts only for the actor that signed entries name.
LUA_CREDENTIALS = """
local function session(prefix, id, user)
    local found = redis.call('MGET', prefix .. 'session:' .. id, prefix .. 'user:' .. user)
    local is_live = found[1] and string.sub(found[1], 1, 1) == '+'
    local organization = is_live and found[2] and string.match(found[2], '^%d+')
    if not organization then return found end
    return found, user, organization, 'login'
end
-- Whose a token is, if that is known.
local function owner_of(prefix, hash)
    return string.match(redis.call('GET', prefix .. 'token:' .. hash) or '', '^(%d+):')
end
local function token(prefix, hash, seconds)
    local found = redis.call('GET', prefix .. 'token:' .. hash)
    local user, organization, reach = string.match(found or '', '^(%d+):(%d+):([%w-]+){')
    if not user then return {found} end
    local owner = redis.call('GET', prefix .. 'user:' .. user)
    local first = redis.call('SET', prefix .. 'token-used:' .. hash, 1, 'NX', 'EX', seconds)
    if not owner or not string.match(owner, '^%d+') then return {found, owner, first} end
    return {found, owner, first}, user, organization, reach
end
"""
# Puts an entry where there is none, or one that was not believed. A mark stays.
PUT = Script(
    """
local found = redis.call('GET', KEYS[1])
if not found or found == ARGV[3] then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
"""
)


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


def known_session(answer: Any, session_id: UUID, user_id: int) -> tuple[bool | None, Person | None]:
    """Whether the session is live, and the person, as far as Redis knows; `answer` is None while it is away."""
    return session_in(answer, session_id, user_id, entry_signer()) if redis_gate().is_trusted else (None, None)


def session_in(answer: Any, session_id: UUID, user_id: int, signer: EntrySigner) -> tuple[bool | None, Person | None]:
    """What signed entries in Redis's answer say of a session, be Redis trusted or not."""
    if answer is None:
        return None, None
    live, person = cast("list[bytes | None]", answer)
    if live == REVOKED:
        return False, None
    if not live or not person:
        return None, None
    read = _read_session if len(person) <= LONGEST_REMEMBERED else _read_session.__wrapped__
    known = read(signer, session_id, user_id, live, person)
    return (True, known[0]) if known is not None and known[1] > time.time() else (None, None)


def known_token(answer: Any, token_hash: bytes) -> tuple[KnownToken | bool | None, Person | None, bool]:
    """The token (False: revoked; None: not known), whose it is, and whether it is used for the first time in a minute.

    `answer` is None while Redis is away.
    """
    return token_in(answer, token_hash, entry_signer()) if redis_gate().is_trusted else (None, None, False)


def token_in(
    answer: Any, token_hash: bytes, signer: EntrySigner
) -> tuple[KnownToken | bool | None, Person | None, bool]:
    """What signed entries in Redis's answer say of an API token, be Redis trusted or not."""
    if answer is None or answer[0] is None:
        return None, None, False
    if answer[0] == REVOKED:
        return False, None, False
    entry, owner, first = answer if len(answer) == 3 else (None, None, None)
    if not entry or not owner:
        return None, None, False
    read = _read_token if len(entry) + len(owner) <= LONGEST_REMEMBERED else _read_token.__wrapped__
    known = read(signer, token_hash, entry, owner)
    if known is None or known[2] <= time.time():
        return None, None, False
    return known[0], known[1], first is not None


def remember_session(session_id: UUID, person: Person, answer: Any = None) -> None:
    """Let all processes know a live session and its person, as PostgreSQL has just told them. What stood in `answer`
    and was not believed gives way."""
    names = f"{SESSION}{session_id}", f"{USER}{person.user_id}"
    _remember(dict(zip(names, (LIVE, _as_entry(person)), strict=True)), _unbelieved(names, answer))


def remember_token(token_hash: bytes, token: KnownToken, person: Person, answer: Any = None) -> None:
    """Let all processes know an API token and its person, as PostgreSQL has just told them. What stood in `answer` and
    was not believed gives way."""
    value = {"i": token.token_id, "s": sorted(token.scopes), "e": token.expires_at}
    names = TOKEN + token_hash.hex(), f"{USER}{person.user_id}"
    # In front, where Lua reads it: whose it is, for which organization, and what it reaches there.
    reach = reach_of_token(token.scopes).encode()
    known = b"%d:%d:%b%b" % (token.user_id, token.organization_id, reach, orjson.dumps(value))
    marks = {USED + token_hash.hex(): USED_SECONDS}
    _remember(dict(zip(names, (known, _as_entry(person)), strict=True)), _unbelieved(names, answer), marks)


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


def announce_deleted_tokens(token_hashes: Iterable[bytes]) -> None:
    """The same for many. One round trip."""
    redis_gate().announce({TOKEN + token_hash.hex(): (REVOKED, KNOWN_SECONDS * 2) for token_hash in token_hashes})


def forget_user(user_id: int) -> None:
    """Tell all processes that a person's role, memberships or state have changed, after the commit of it."""
    redis_gate().announce({f"{USER}{user_id}": (CHANGED, CHANGED_SECONDS)} | person_invalidation(user_id))


def _remember(
    values: Mapping[str, bytes], instead_of: Mapping[str, bytes], marks: Mapping[str, int] | None = None
) -> None:
    gate, signer = redis_gate(), entry_signer()
    entries = {name: signer.sign(name, value, SIGNED_SECONDS) for name, value in values.items()}
    gate.ask(
        lambda: [
            *(
                PUT.command([gate.key(name)], entry, KNOWN_SECONDS, instead_of.get(name, b""))
                for name, entry in entries.items()
            ),
            *(("SET", gate.key(name), 1, "EX", seconds, "NX") for name, seconds in (marks or {}).items()),
        ]
    )


def _unbelieved(names: tuple[str, str], answer: Any) -> dict[str, bytes]:
    """The entries of an answer that may give way. Not marks: those were set after what is to be put there was read."""
    found = zip(names, answer or (), strict=False)
    return {name: entry for name, entry in found if entry is not None and entry not in (REVOKED, CHANGED)}


def _as_entry(person: Person) -> bytes:
    value = {
        "a": person.is_admin,
        "d": person.is_disabled,
        "m": {str(organization_id): role for organization_id, role in person.memberships.items()},
    }
    # In front, where Lua reads it: the organization that a request is for which names none.
    return b"%d%b" % (person.personal_organization_id, orjson.dumps(value))


# Most requests show entries that a process has met before: then neither signature nor JSON is looked at again.
@lru_cache(maxsize=REMEMBERED)
def _read_session(
    signer: EntrySigner, session_id: UUID, user_id: int, live: bytes, person: bytes
) -> tuple[Person, int] | None:
    """The person of a live session, and until when that may be believed; None without good signatures."""
    session = signer.verify(f"{SESSION}{session_id}", live)
    known = signer.verify(f"{USER}{user_id}", person)
    if session is None or session[0] != LIVE or known is None:
        return None
    return _person(user_id, known[0]), min(session[1], known[1])


@lru_cache(maxsize=REMEMBERED)
def _read_token(
    signer: EntrySigner, token_hash: bytes, entry: bytes, owner: bytes
) -> tuple[KnownToken, Person, int] | None:
    """A token and whose it is, and until when that may be believed; None without good signatures."""
    found = signer.verify(TOKEN + token_hash.hex(), entry)
    if found is None:
        return None
    token = _token(found[0])
    known = signer.verify(f"{USER}{token.user_id}", owner)
    return (token, _person(token.user_id, known[0]), min(found[1], known[1])) if known else None


def _person(user_id: int, known: bytes) -> Person:
    organization, brace, rest = known.partition(b"{")
    value = orjson.loads(brace + rest)
    memberships = {int(organization_id): role for organization_id, role in value["m"].items()}
    return Person(user_id, value["a"], value["d"], int(organization), memberships)


def _token(known: bytes) -> KnownToken:
    place, brace, rest = known.partition(b"{")
    user_id, organization_id, _ = place.split(b":")
    value = orjson.loads(brace + rest)
    return KnownToken(value["i"], int(user_id), int(organization_id), frozenset(value["s"]), value["e"])
