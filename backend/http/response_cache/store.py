"""Answers as bytes, kept under what they answer, with the generations they are good for."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import orjson

from backend.http.operations import CachedItem
from backend.redis.client import redis_gate
from backend.redis.resilient import Script
from config import CACHE_SECONDS

Namespace = Literal[
    "list",
    "bookmark",
    "project",
    "task",
    "dashboard",
    "activity",
    "statistics",
    "profile",
    "organization",
    "recommendations",
]

# Who makes an answer has this long; then somebody else may.
MAKING_MS = 3_000
FIRST_WAIT, LONGEST_WAIT, PATIENCE = 0.003, 0.05, 2.0
COUNTS = "cache:counts"
# A body that is longer is not cached: a few would push out what many ask for.
LONGEST_CACHED = 256 * 1024
# Answers that are made at the same time should not end at the same time.
JITTER = 0.1
ETAG_LENGTH = 32

# What an answer shows, by the generation that it is good for: an organization's lists and whatever else has no
# generation of its own, its tags, one bookmark, or the bookmark that a link leads to.
Subject = Literal["organization", "tags", "bookmarks-of", "link"]

# Functions of Lua. `bookmark` is the one that an answer is about, or empty.
LUA_STAMP = """
local function stamp_of(prefix, organization, user, subject, bookmark)
    local generations = redis.call('MGET', prefix .. 'generation:all', prefix .. 'generation:person:' .. user,
        prefix .. 'generation:' .. subject .. ':' .. organization, prefix .. 'generation:bookmark:' .. bookmark)
    local stamp = ''
    for at = 1, 4 do stamp = stamp .. (generations[at] or '--------') end
    return stamp
end
"""
# A link is kept as the bookmark that it leads to, and good for as long as that bookmark's answer. `known` are ETags
# that the caller has. Answers a kind and what goes with it: '+' the answer (ETag and body), '=' the ETag of one that
# the caller has, '!' the generations (make it), '~' (wait: somebody is making it). Hits and misses are counted where
# somebody has asked.
LUA_KEPT = (
    LUA_STAMP
    + """
local function kept(prefix, namespace, organization, user, reach, subject, bookmark, digest, making, counted, known)
    local place = organization .. ':' .. user .. ':' .. reach .. ':'
    local name = 'answer:' .. namespace .. ':' .. place .. digest
    local found, stamp
    if subject == 'link' then
        local link = redis.call('GET', prefix .. 'link:' .. place .. digest)
        if link then
            local target, question = string.match(string.sub(link, 33), '^(%d+):(.*)$')
            stamp = stamp_of(prefix, organization, user, 'bookmarks-of', target)
            if string.sub(link, 1, 32) == stamp then
                found = redis.call('GET', prefix .. 'answer:' .. namespace .. ':' .. place .. question)
            end
        end
    else
        stamp = stamp_of(prefix, organization, user, subject, bookmark)
        found = redis.call('GET', prefix .. name)
    end
    if found and string.sub(found, 1, 32) == stamp then
        if counted then redis.call('HINCRBY', prefix .. 'cache:counts', namespace .. ':hits', 1) end
        local etag = string.sub(found, 33, 64)
        for _, one in ipairs(known) do
            if one == etag or one == '*' then return {'=', etag} end
        end
        return {'+', string.sub(found, 33)}
    end
    if redis.call('SET', prefix .. 'making:' .. name, 1, 'NX', 'PX', making) then
        if counted then redis.call('HINCRBY', prefix .. 'cache:counts', namespace .. ':misses', 1) end
        if subject == 'link' then stamp = stamp_of(prefix, organization, user, 'organization', '') end
        return {'!', stamp}
    end
    return {'~'}
end
"""
)
# What one answer says about a bookmark is the answer to other questions too. Whatever changes a bookmark sets the
# organization's generation anew as well: where that stands, no bookmark has changed.
LUA_KEEP_PARTS = """
local function keep_parts(prefix, organization, user, reach, first)
    local place = organization .. ':' .. user .. ':' .. reach .. ':'
    local common = string.sub(stamp_of(prefix, organization, user, 'bookmarks-of', ''), 1, 24)
    for at = first, #ARGV, 5 do
        local bookmark, question, link, seconds = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
        local stamp = common .. (redis.call('GET', prefix .. 'generation:bookmark:' .. bookmark) or '--------')
        redis.call('SET', prefix .. 'answer:bookmark:' .. place .. question, stamp .. ARGV[at + 4], 'EX', seconds)
        redis.call('SET', prefix .. 'link:' .. place .. link, stamp .. bookmark .. ':' .. question, 'EX', seconds)
    end
end
"""
READ = Script(
    LUA_KEPT
    + """
local known = {}
for at = 10, #ARGV do known[#known + 1] = ARGV[at] end
return kept(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9] == '1', known)
"""
)
KEEP = Script(
    LUA_STAMP
    + LUA_KEEP_PARTS
    + """
local prefix, organization, user, reach, stamp = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if ARGV[7] ~= '' then redis.call('SET', prefix .. ARGV[5], stamp .. ARGV[7], 'EX', ARGV[6]) end
redis.call('DEL', prefix .. 'making:' .. ARGV[5])
if #ARGV > 7 and stamp_of(prefix, organization, user, 'organization', '') == stamp then
    keep_parts(prefix, organization, user, reach, 8)
end
"""
)


@dataclass(frozen=True)
class CachedResponse:
    """An answer that may be kept. `body` is None where the caller has it already; `etag` carries no quotes."""

    etag: str
    body: bytes | None


@dataclass(frozen=True)
class CachePartition:
    """Whose answers: those of a person, in an organization, as far as a credential reaches (`Actor.reach`).

    What two credentials of one person see may differ, so that they share answers only where they reach the same.
    """

    organization_id: int
    user_id: int
    reach: str

    @property
    def name(self) -> str:
        return f"{self.organization_id}:{self.user_id}:{self.reach}"

    @property
    def parts(self) -> tuple[int, int, str]:
        """What Lua makes the name of."""
        return self.organization_id, self.user_id, self.reach


@dataclass(frozen=True)
class CacheKey:
    """Where an answer is kept: what was asked, for whom, and what it shows; the bookmark, if it is of one alone."""

    namespace: Namespace
    place: CachePartition
    digest: str
    subject: Subject = "organization"
    bookmark_id: int | None = None

    @property
    def name(self) -> str:
        return f"answer:{self.namespace}:{self.place.name}:{self.digest}"


@dataclass(frozen=True)
class CacheMiss:
    """Nothing is kept: the caller makes the answer, and may keep it with `keep` for these generations (if any)."""

    slot: CacheKey
    stamp: bytes | None


def digest_of(question: object) -> str:
    """The name of a question that JSON can hold, in whatever order its keys stand."""
    return sha256(orjson.dumps(question, option=orjson.OPT_SORT_KEYS)).hexdigest()


def etag_of(body: bytes) -> str:
    """The strong ETag of a body, without quotes."""
    return sha256(body).hexdigest()[:ETAG_LENGTH]


def look_up(slot: CacheKey, known: list[str], *, counted: bool = True) -> CachedResponse | CacheMiss:
    """The kept answer, or leave to make it. One round trip; more while somebody else is making it.

    `known` are ETags that the caller has, without quotes. Nobody waits for what is not `counted` as asked.
    """
    wait, end = FIRST_WAIT, time.monotonic() + PATIENCE
    while True:
        if not redis_gate().is_trusted:
            return CacheMiss(slot, None)
        answers = redis_gate().ask(lambda: [_read_command(slot, known, counted)])
        if answers is None:
            return CacheMiss(slot, None)
        found = decode_reply(slot, answers[0])
        if found is not None:
            return found
        if time.monotonic() > end or not counted:
            return CacheMiss(slot, None)
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


def decode_reply(slot: CacheKey, answer: Any) -> CachedResponse | CacheMiss | None:
    """What `LUA_KEPT` has answered; None if somebody else is making the answer."""
    kind, *rest = answer
    if kind == b"~":
        return None
    if kind == b"!":
        return CacheMiss(slot, rest[0])
    etag = rest[0][:ETAG_LENGTH].decode()
    return CachedResponse(etag, rest[0][ETAG_LENGTH:] if kind == b"+" else None)


def store_response(wanted: CacheMiss, answer: CachedResponse, parts: Sequence[CachedItem] = ()) -> None:
    """Keep an answer that was made after its generations were read, with its parts, and let others read it. One round
    trip."""
    slot, stamp, body = wanted.slot, wanted.stamp, answer.body
    if stamp is None or body is None:
        return
    # A link has no answer but that of the bookmark which it leads to.
    is_cached = slot.subject != "link" and len(body) <= LONGEST_CACHED
    value = answer.etag.encode() + body if is_cached else b""
    gate = redis_gate()
    gate.ask(
        lambda: [
            KEEP.command(
                [gate.key("")],
                *slot.place.parts,
                stamp,
                slot.name,
                _lasts(slot.namespace),
                value,
                *values_of_parts(parts),
            )
        ]
    )


def values_of_parts(parts: Iterable[CachedItem]) -> Iterator[Any]:
    """What `LUA_KEEP_PARTS` takes."""
    for part in parts:
        if len(part.body) > LONGEST_CACHED:
            continue
        yield from (part.bookmark_id, part.question, part.link, _lasts("bookmark"))
        yield etag_of(part.body).encode() + part.body


def abandon(wanted: CacheMiss) -> None:
    """Let others make the answer: this caller could not. One round trip."""
    if wanted.stamp is not None:
        gate = redis_gate()
        gate.ask(lambda: [("DEL", gate.key(_lock(wanted.slot)))])


def _read_command(slot: CacheKey, known: list[str], counted: bool) -> Any:
    asked = (slot.namespace, *slot.place.parts, slot.subject, slot.bookmark_id or "")
    return READ.command([redis_gate().key("")], *asked, slot.digest, MAKING_MS, int(counted), *known)


def _lasts(namespace: Namespace) -> int:
    seconds = CACHE_SECONDS[namespace]
    return max(1, round(seconds * random.uniform(1 - JITTER, 1 + JITTER)))  # nosec B311


def _lock(slot: CacheKey) -> str:
    return f"making:{slot.name}"
