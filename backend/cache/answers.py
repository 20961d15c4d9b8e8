"""Answers as bytes, kept under what they answer, with the generations they are good for."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import orjson

from backend.cache import changes
from backend.extensions import redis_gate
from backend.redis_gate import Script
from config import CACHE_SECONDS

Namespace = Literal[
    "list", "bookmark", "project", "task", "dashboard", "activity", "statistics", "profile", "organization"
]

# Who makes an answer has this long; then somebody else may.
MAKING_MS = 3_000
FIRST_WAIT, LONGEST_WAIT, PATIENCE = 0.003, 0.05, 2.0
COUNTS = "cache:counts"
GENERATION_BYTES = 8
# Answers that are made at the same time should not end at the same time.
JITTER = 0.1
ETAG_LENGTH = 32

# KEYS: the generations of everything, the organization and the person; the answer; the lock of who makes it; the
# counts. ARGV: namespace, how long the lock holds, and ETags that the caller has. Answers a kind and what goes with it:
# '+' the answer (ETag and body), '=' the ETag of one that the caller has, '!' the generations (make it), '~' (wait).
READ = Script("""
local generations = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])
local stamp = ''
for at = 1, 3 do stamp = stamp .. (generations[at] or '--------') end
local kept = redis.call('GET', KEYS[4])
if kept and string.sub(kept, 1, #stamp) == stamp then
    redis.call('HINCRBY', KEYS[6], ARGV[1] .. ':hits', 1)
    local etag = string.sub(kept, #stamp + 1, #stamp + 32)
    for at = 3, #ARGV do
        if ARGV[at] == etag or ARGV[at] == '*' then return {'=', etag} end
    end
    return {'+', string.sub(kept, #stamp + 1)}
end
if redis.call('SET', KEYS[5], 1, 'NX', 'PX', ARGV[2]) then
    redis.call('HINCRBY', KEYS[6], ARGV[1] .. ':misses', 1)
    return {'!', stamp}
end
return {'~'}
""")


@dataclass(frozen=True)
class Answer:
    """An answer that may be kept. `body` is None where the caller has it already; `etag` carries no quotes."""

    etag: str
    body: bytes | None


@dataclass(frozen=True)
class Slot:
    """Where an answer is kept: what was asked, by whom, in which organization."""

    namespace: Namespace
    organization_id: int
    user_id: int
    digest: str

    @classmethod
    def of(cls, namespace: Namespace, organization_id: int, user_id: int, question: object) -> Slot:
        """The slot of a question that JSON can hold; the order of its keys is no matter."""
        digest = sha256(orjson.dumps(question, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return cls(namespace, organization_id, user_id, digest)

    @property
    def name(self) -> str:
        return f"answer:{self.namespace}:{self.organization_id}:{self.user_id}:{self.digest}"


@dataclass(frozen=True)
class Wanted:
    """Nothing is kept: the caller makes the answer, and may keep it with `keep` for these generations (if any)."""

    slot: Slot
    stamp: bytes | None


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
        kind, *rest = answers[0]
        if kind == b"!":
            return Wanted(slot, rest[0])
        if kind != b"~":
            return _answer(kind, rest[0])
        if time.monotonic() > end:
            return Wanted(slot, None)
        time.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)


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
    key = redis_gate().key
    keys = [
        key(changes.EVERYTHING),
        key(changes.organization_generation(slot.organization_id)),
        key(changes.person_generation(slot.user_id)),
        key(slot.name),
        key(_lock(slot)),
        key(COUNTS),
    ]
    return READ.command(keys, slot.namespace, MAKING_MS, *known)


def _lock(slot: Slot) -> str:
    return f"making:{slot.name}"


def _answer(kind: bytes, value: bytes) -> Answer:
    etag = value[:ETAG_LENGTH].decode()
    return Answer(etag, value[ETAG_LENGTH:] if kind == b"+" else None)
