"""Bringing bookmarks in over HTTP, and waiting until the worker has done its part."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from backend.index.statistics import CHANGED, CHANGED_PART, CHANGES, SMALL
from benchmarks.stack import RunningStack

# Of POST /bookmarks/bulk, by the contract.
MOST_ITEMS = 1000
BODY_BYTES = 1024 * 1024
OPENING, CLOSING = b'{"items":[', b"]}"
DEADLINE_SECONDS = 3600
LOOK_SECONDS = 0.5
PROGRESS_SECONDS = 60
# Organizations of which the worker has begun to count the words, and has not ended.
UNCOUNTED = text("SELECT count(*) FROM search_statistics WHERE documents > :small AND terms = 0")


@dataclass
class Saved:
    """What became of items: how many of each end, their ids in the order of the items, and the seconds it took."""

    ends: Counter[str] = field(default_factory=Counter)
    ids: list[int | None] = field(default_factory=list)
    seconds: float = 0.0


def bulk_bodies(
    items: Iterable[Mapping[str, object]], most_items: int = MOST_ITEMS, most_bytes: int = BODY_BYTES
) -> Iterator[bytes]:
    """Bodies of POST /bookmarks/bulk that hold all the items in order, each within both limits.

    Raises:
        ValueError: one item alone is too large.
    """
    batch: list[bytes] = []
    size = len(OPENING) + len(CLOSING)
    for item in items:
        encoded = json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()
        if len(OPENING) + len(encoded) + len(CLOSING) > most_bytes:
            raise ValueError(f"an item of {len(encoded)} bytes fits no request")
        if len(batch) == most_items or size + len(encoded) + bool(batch) > most_bytes:
            yield OPENING + b",".join(batch) + CLOSING
            batch, size = [], len(OPENING) + len(CLOSING)
        size += len(encoded) + bool(batch)
        batch.append(encoded)
    if batch:
        yield OPENING + b",".join(batch) + CLOSING


def save_all(client: httpx.Client, items: Iterable[Mapping[str, object]]) -> Saved:
    """Save the items by POST /bookmarks/bulk, one request after the other; what was refused is printed."""
    bodies = list(bulk_bodies(items))
    saved = Saved()
    started = time.perf_counter()
    for body in bodies:
        answer = client.post("bookmarks/bulk", content=body, headers={"Content-Type": "application/json"})
        found = answer.raise_for_status().json()
        saved.ends.update({name: found[name] for name in ("created", "duplicates", "invalid")})
        for result in found["results"]:
            saved.ids.append(result.get("id"))
            if result["status"] == "invalid":
                print("  invalid:", result["error"], json.loads(body)["items"][result["index"]]["url"])
    saved.seconds = time.perf_counter() - started
    return saved


def pending_embeddings(url: str) -> int:
    """How many bookmarks wait for a vector; 0 where embeddings are off."""
    return _pending(_checks(url))


def wait_until_embedded(url: str, deadline_seconds: float = DEADLINE_SECONDS) -> float:
    """Wait until no bookmark waits for a vector; the seconds it took.

    Raises:
        TimeoutError: some still wait after `deadline_seconds`.
    """
    started = told = time.monotonic()
    while pending := _pending(_checks(url)):
        now = time.monotonic()
        if now - started > deadline_seconds:
            raise TimeoutError(f"{pending} bookmarks still wait for a vector after {deadline_seconds:.0f} s")
        if now - told > PROGRESS_SECONDS:
            told = now
            print(f"  {pending} wait for a vector", flush=True)
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - started


def wait_until_quiet(url: str, settle_seconds: float, deadline_seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until no vector is missing and no message waits, at every look for `settle_seconds` on end.

    That long because a message that is being worked on, and PostgreSQL's own housekeeping, are not seen from outside.

    Raises:
        TimeoutError: it was never quiet for so long.
    """
    started = quiet_since = time.monotonic()
    while True:
        checks = _checks(url)
        now = time.monotonic()
        if _pending(checks) or checks["worker"].get("queue_depth"):
            quiet_since = now
        elif now - quiet_since >= settle_seconds:
            return
        if now - started > deadline_seconds:
            raise TimeoutError(f"the worker was still busy after {deadline_seconds:.0f} s")
        time.sleep(LOOK_SECONDS)


def wait_until_counted(stack: RunningStack, deadline_seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until the worker has counted the words of all organizations: until then ranking knows them up to a bound.

    The worker begins at the scheduler's next pass, which no queue tells beforehand.

    Raises:
        TimeoutError: it never was.
    """
    engine = create_engine(stack.addresses()["DATABASE_URL"])
    started = time.monotonic()
    try:
        while True:
            with engine.connect() as connection:
                waiting = connection.execute(CHANGED, {"changes": CHANGES, "part": CHANGED_PART}).all()
                counting = connection.scalar(UNCOUNTED, {"small": SMALL})
            if not waiting and not counting:
                return
            if time.monotonic() - started > deadline_seconds:
                raise TimeoutError(f"words were not counted after {deadline_seconds:.0f} s")
            time.sleep(LOOK_SECONDS)
    finally:
        engine.dispose()


def _checks(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/api/health", trust_env=False, timeout=30).json()["checks"]
    return found


def _pending(checks: dict[str, Any]) -> int:
    embeddings = checks["embeddings"]
    if embeddings["status"] == "disabled":
        return 0
    if embeddings.get("pending") is None:
        raise RuntimeError(f"the embeddings cannot be seen: {embeddings}")
    return int(embeddings["pending"])
