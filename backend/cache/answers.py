"""Answers as bytes, kept under what they answer, with the generations they are good for."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import orjson

from backend.extensions import redis_gate
from backend.redis_gate import Script
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
# Answers that are made at the same time should not end at the same time.
JITTER = 0.1
ETAG_LENGTH = 32

# A function of Lua. `bookmark` is the one that the answer is about, or empty; `known` are ETags that the caller has.
# Answers a kind and what goes with it: '+' the answer (ETag and body), '=' the ETag of one that the caller has, '!' the
# generations (make it), '~' (wait: somebody is making it).
LUA_KEPT = """
local function kept(prefix, namespace, organization, user, bookmark, digest, making, known)
    local kind = bookmark == '' and 'organization:' or 'bookmarks-of:'
    local generations = redis.call('MGET', prefix .. 'generation:all', prefix .. 'generation:person:' .. user,
        prefix .. 'generation:' .. kind .. organization, prefix .. 'generation:bookmark:' .. bookmark)
    local stamp = ''
    for at = 1, 4 do stamp = stamp .. (generations[at] or '--------') end
    local name = 'answer:' .. namespace .. ':' .. organization .. ':' .. user .. ':' .. digest
    local found = redis.call('GET', prefix .. name)
    if found and string.sub(found, 1, #stamp) == stamp then
        redis.call('HINCRBY', prefix .. 'cache:counts', namespace .. ':hits', 1)
        local etag = string.sub(found, #stamp + 1, #stamp + 32)
        for _, one in ipairs(known) do
            if one == etag or one == '*' then return {'=', etag} end
        end
        return {'+', string.sub(found, #stamp + 1)}
    end
    if redis.call('SET', prefix .. 'making:' .. name, 1, 'NX', 'PX', making) then
        redis.call('HINCRBY', prefix .. 'cache:counts', namespace .. ':misses', 1)
        return {'!', stamp}
    end
    return {'~'}
end
"""
READ = Script(
    LUA_KEPT
    + """
local known = {}
for at = 7, #ARGV do known[#known + 1] = ARGV[at] end
return kept(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], known)
"""
)


@dataclass(frozen=True)
class Answer:
    """An answer that may be kept. `body` is None where the caller has it already; `etag` carries no quotes."""

    etag: str
    body: bytes | None


@dataclass(frozen=True)
class Slot:
    """Where an answer is kept: what was asked, by whom, in which organization; the bookmark, if it is of one alone."""

    namespace: Namespace
    organization_id: int
    user_id: int
    digest: str
    bookmark_id: int | None = None

    @property
    def name(self) -> str:
        return f"answer:{self.namespace}:{self.organization_id}:{self.user_id}:{self.digest}"


@dataclass(frozen=True)
class Wanted:
    """Nothing is kept: the caller makes the answer, and may keep it with `keep` for these generations (if any)."""

    slot: Slot
    stamp: bytes | None


def digest_of(question: object) -> str:
    """The name of a question that JSON can hold, in whatever order its keys stand."""
    return sha256(orjson.dumps(question, option=orjson.OPT_SORT_KEYS)).hexdigest()


def etag_of(body: bytes) -> str:
    """The strong ETag of a body, without quotes."""
    return sha256(body).hexdigest()[:ETAG_LENGTH]


def read(slot: Slot, known: list[str]) -> Answer | Wanted:
    """The kept answer, or leave to make it. One round trip; more while somebody else is making it.

    `known` are ETags that the caller has, without quotes.
    """
    wait, end = FIRST_WAIT, time.monotonic() + PATIENCE
    while True:
        if not redis_gate().is_trusted:
            return Wanted(slot, None)
        answers = redis_gate().ask(lambda: [_read_command(slot, known)])
        if answers is None:
            return Wanted(slot, None)
        found = settle(slot, answers[0])
        if found is not None:
            return found
        if time.monotonic() > end:
            return Wanted(slot, None)
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


def settle(slot: Slot, answer: Any) -> Answer | Wanted | None:
    """What `LUA_KEPT` has answered; None if somebody else is making the answer."""
    kind, *rest = answer
    if kind == b"~":
        return None
    if kind == b"!":
        return Wanted(slot, rest[0])
    etag = rest[0][:ETAG_LENGTH].decode()
    return Answer(etag, rest[0][ETAG_LENGTH:] if kind == b"+" else None)


def keep(wanted: Wanted, answer: Answer) -> None:
    """Keep an answer that was made after its generations were read, and let others read it. One round trip."""
    if wanted.stamp is None or answer.body is None:
        return
    value = wanted.stamp + answer.etag.encode() + answer.body
    seconds = CACHE_SECONDS[wanted.slot.namespace]
    lasts = max(1, round(seconds * random.uniform(1 - JITTER, 1 + JITTER)))  # nosec B311
    gate = redis_gate()
    gate.ask(
        lambda: [
            ("SET", gate.key(wanted.slot.name), value, "EX", lasts),
            ("DEL", gate.key(_lock(wanted.slot))),
        ]
    )


def give_up(wanted: Wanted) -> None:
    """Let others make the answer: this caller could not. One round trip."""
    if wanted.stamp is not None:
        gate = redis_gate()
        gate.ask(lambda: [("DEL", gate.key(_lock(wanted.slot)))])


def _read_command(slot: Slot, known: list[str]) -> Any:
    asked = (slot.namespace, slot.organization_id, slot.user_id, slot.bookmark_id or "", slot.digest, MAKING_MS)
    return READ.command([redis_gate().key("")], *asked, *known)


def _lock(slot: Slot) -> str:
    return f"making:{slot.name}"
