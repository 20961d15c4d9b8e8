"""Session cache: sessions, API tokens and persons in Redis, for all processes, read in one round trip.

A session is live or revoked; a person has a role and memberships. What the cache lacks is read from PostgreSQL and
stored for some minutes, unless another process has stored something meanwhile. Revocations and changes set an
invalidation after the commit; it wins over any reader that still holds older rows. While Redis is away or not
trusted (see `ResilientRedis`), everything is read from PostgreSQL.

Entries are signed: one that somebody else wrote counts as missing. Invalidations are not: they only take access away.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, func, update

from backend.actor import Role, token_reach
from backend.auth.entry_signing import EntrySigner, entry_signer
from backend.auth.models import Session
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import person_invalidation
from backend.named_blocks import read_blocks
from backend.redis.client import resilient_redis
from backend.redis.resilient import Script

CACHED_SECONDS = 300
# Longer than any reader takes that holds rows from before a change.
CHANGED_SECONDS = 10
LIVE, REVOKED, CHANGED = b"+", b"-", b"!"
USER, SESSION, TOKEN, USED = "user:", "session:", "token:", "token-used:"
FIRST_USE_SECONDS = 60
# A signature outlives its key, so that no entry is read again only because clocks differ.
SIGNED_SECONDS = CACHED_SECONDS + 10
# Verified entries that a process memoises, and the longest of them in bytes.
MEMOISED_ENTRIES, MAX_MEMOISED_BYTES = 1_024, 4_096

SCRIPTS = read_blocks(Path(__file__).with_suffix(".lua"))
LUA_CREDENTIALS = f"\n{SCRIPTS['credentials']}\n"
PUT = Script(SCRIPTS["put"])


@dataclass(frozen=True)
class CachedPerson:
    """Cached person: `memberships` are roles by organization."""

    user_id: int
    is_admin: bool
    is_disabled: bool
    personal_organization_id: int
    memberships: Mapping[int, Role]


@dataclass(frozen=True)
class CachedToken:
    """Cached API token; `expires_at` in seconds since 1970."""

    token_id: int
    user_id: int
    organization_id: int
    scopes: frozenset[str]
    expires_at: float | None


def cached_session(reply: Any, session_id: UUID, user_id: int) -> tuple[bool | None, CachedPerson | None]:
    """Return whether the session is live (None: not cached) and the person; `reply` is None while Redis is away."""
    return (
        decode_session_reply(reply, session_id, user_id, entry_signer())
        if resilient_redis().is_trusted
        else (None, None)
    )


def decode_session_reply(
    reply: Any, session_id: UUID, user_id: int, signer: EntrySigner
) -> tuple[bool | None, CachedPerson | None]:
    """Decode and verify Redis's reply on a session, whether Redis is trusted or not."""
    if reply is None:
        return None, None
    live, person = cast("list[bytes | None]", reply)
    if live == REVOKED:
        return False, None
    if not live or not person:
        return None, None
    read = _read_session if len(person) <= MAX_MEMOISED_BYTES else _read_session.__wrapped__
    known = read(signer, session_id, user_id, live, person)
    return (True, known[0]) if known is not None and known[1] > time.time() else (None, None)


def cached_token(reply: Any, token_hash: bytes) -> tuple[CachedToken | bool | None, CachedPerson | None, bool]:
    """Return the token (False: revoked; None: not cached), its person, and whether this is its first use in a minute.

    `reply` is None while Redis is away.
    """
    return (
        decode_token_reply(reply, token_hash, entry_signer()) if resilient_redis().is_trusted else (None, None, False)
    )


def decode_token_reply(
    reply: Any, token_hash: bytes, signer: EntrySigner
) -> tuple[CachedToken | bool | None, CachedPerson | None, bool]:
    """Decode and verify Redis's reply on an API token, whether Redis is trusted or not."""
    if reply is None or reply[0] is None:
        return None, None, False
    if reply[0] == REVOKED:
        return False, None, False
    entry, owner, first = reply if len(reply) == 3 else (None, None, None)
    if not entry or not owner:
        return None, None, False
    read = _read_token if len(entry) + len(owner) <= MAX_MEMOISED_BYTES else _read_token.__wrapped__
    known = read(signer, token_hash, entry, owner)
    if known is None or known[2] <= time.time():
        return None, None, False
    return known[0], known[1], first is not None


def store_session(session_id: UUID, person: CachedPerson, reply: Any = None) -> None:
    """Store a live session and its person, as read from PostgreSQL. Rejected entries of `reply` are replaced."""
    names = f"{SESSION}{session_id}", f"{USER}{person.user_id}"
    _store(dict(zip(names, (LIVE, _encode_person(person)), strict=True)), _rejected(names, reply))


def store_token(token_hash: bytes, token: CachedToken, person: CachedPerson, reply: Any = None) -> None:
    """Store an API token and its person, as read from PostgreSQL. Rejected entries of `reply` are replaced."""
    value = {"i": token.token_id, "s": sorted(token.scopes), "e": token.expires_at}
    names = TOKEN + token_hash.hex(), f"{USER}{person.user_id}"
    # Lua reads the prefix: person, organization, access.
    reach = token_reach(token.scopes).encode()
    entry = b"%d:%d:%b%b" % (token.user_id, token.organization_id, reach, orjson.dumps(value))
    flags = {USED + token_hash.hex(): FIRST_USE_SECONDS}
    _store(dict(zip(names, (entry, _encode_person(person)), strict=True)), _rejected(names, reply), flags)


def revoke_sessions(*conditions: ColumnElement[bool]) -> list[UUID]:
    """Revoke sessions in the current transaction; return their ids, for `invalidate_sessions` after the commit."""
    statement = update(Session).where(*conditions, Session.revoked_at.is_(None)).values(revoked_at=func.now())
    return list(db.session.scalars(statement.returning(Session.id)))


def invalidate_sessions(session_ids: Iterable[UUID]) -> None:
    """Invalidate sessions in all processes, after the commit that revoked them. One round trip."""
    seconds = current_settings().ACCESS_TOKEN_MINUTES * 60 + 60
    resilient_redis().invalidate({f"{SESSION}{session_id}": (REVOKED, seconds) for session_id in session_ids})


def invalidate_token(token_hash: bytes) -> None:
    """Invalidate an API token in all processes, after the commit that deleted it."""
    resilient_redis().invalidate({TOKEN + token_hash.hex(): (REVOKED, CACHED_SECONDS * 2)})


def invalidate_tokens(token_hashes: Iterable[bytes]) -> None:
    """Invalidate API tokens in all processes, after the commit that deleted them. One round trip."""
    resilient_redis().invalidate(
        {TOKEN + token_hash.hex(): (REVOKED, CACHED_SECONDS * 2) for token_hash in token_hashes}
    )


def invalidate_user(user_id: int) -> None:
    """Invalidate a person in all processes, after the commit that changed their role, memberships or state."""
    resilient_redis().invalidate({f"{USER}{user_id}": (CHANGED, CHANGED_SECONDS)} | person_invalidation(user_id))


def _store(values: Mapping[str, bytes], rejected: Mapping[str, bytes], flags: Mapping[str, int] | None = None) -> None:
    redis, signer = resilient_redis(), entry_signer()
    entries = {name: signer.sign(name, value, SIGNED_SECONDS) for name, value in values.items()}
    redis.execute(
        lambda: [
            *(
                PUT.command([redis.key(name)], entry, CACHED_SECONDS, rejected.get(name, b""))
                for name, entry in entries.items()
            ),
            *(("SET", redis.key(name), 1, "EX", seconds, "NX") for name, seconds in (flags or {}).items()),
        ]
    )


def _rejected(names: tuple[str, str], reply: Any) -> dict[str, bytes]:
    """Return the rejected entries of a reply. Not invalidations: they are newer than the rows to be stored."""
    entries = zip(names, reply or (), strict=False)
    return {name: entry for name, entry in entries if entry is not None and entry not in (REVOKED, CHANGED)}


def _encode_person(person: CachedPerson) -> bytes:
    value = {
        "a": person.is_admin,
        "d": person.is_disabled,
        "m": {str(organization_id): role for organization_id, role in person.memberships.items()},
    }
    # Lua reads the prefix: the organization of requests that name none.
    return b"%d%b" % (person.personal_organization_id, orjson.dumps(value))


# Most requests have entries that the process has verified before.
@lru_cache(maxsize=MEMOISED_ENTRIES)
def _read_session(
    signer: EntrySigner, session_id: UUID, user_id: int, live: bytes, person: bytes
) -> tuple[CachedPerson, int] | None:
    """Return the person of a live session and the end of the entries; None without valid signatures."""
    session = signer.verify(f"{SESSION}{session_id}", live)
    known = signer.verify(f"{USER}{user_id}", person)
    if session is None or session[0] != LIVE or known is None:
        return None
    return _decode_person(user_id, known[0]), min(session[1], known[1])


@lru_cache(maxsize=MEMOISED_ENTRIES)
def _read_token(
    signer: EntrySigner, token_hash: bytes, entry: bytes, owner: bytes
) -> tuple[CachedToken, CachedPerson, int] | None:
    """Return a token, its person and the end of the entries; None without valid signatures."""
    verified = signer.verify(TOKEN + token_hash.hex(), entry)
    if verified is None:
        return None
    token = _decode_token(verified[0])
    known = signer.verify(f"{USER}{token.user_id}", owner)
    return (token, _decode_person(token.user_id, known[0]), min(verified[1], known[1])) if known else None


def _decode_person(user_id: int, entry: bytes) -> CachedPerson:
    organization, brace, rest = entry.partition(b"{")
    value = orjson.loads(brace + rest)
    memberships = {int(organization_id): role for organization_id, role in value["m"].items()}
    return CachedPerson(user_id, value["a"], value["d"], int(organization), memberships)


def _decode_token(entry: bytes) -> CachedToken:
    prefix, brace, rest = entry.partition(b"{")
    user_id, organization_id, _ = prefix.split(b":")
    value = orjson.loads(brace + rest)
    return CachedToken(value["i"], int(user_id), int(organization_id), frozenset(value["s"]), value["e"])
