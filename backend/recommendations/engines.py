"""Engines: descriptions and availability."""

from __future__ import annotations

from backend.actor import Actor
from backend.ai.service import embedding_fault
from backend.extensions import cache, current_settings
from backend.http.response_cache.computed import per_organization
from backend.recommendations.queries import read_engine_data
from backend.recommendations.schemas import AskedEngine, EngineOut, Engines
from backend.recommendations.service import SWITCHED_OFF, TOO_SPARSE
from config import CACHE_SECONDS

DESCRIPTIONS: dict[AskedEngine, str] = {
    "auto": "All engines together, weighted by what your feedback has taught, without saying the same thing twice.",
    "content": "Shares tags, technologies and telling words with the subject and what is attached to it.",
    "semantic": "Close in meaning to the subject and what is attached to it, whatever the words.",
    "context": "Fits what is being worked on now: open tasks, the most urgent first, and what was attached last.",
    "collaborative": "Attached, opened or called relevant here together with what belongs to the subject.",
    "rediscover": "Fits, and was never read or not seen for long.",
}
NO_BOOKMARKS = "Nothing is saved here yet."
NO_VECTORS = "No bookmark has a vector yet."
NO_WORK = "There are no open tasks, and nothing is attached to a project."
NOTHING_FORGOTTEN = "Everything here was read or seen lately."


def list_engines(actor: Actor) -> Engines:
    """Return all engines, each with why it is unavailable, if it is. One statement; none while that is cached."""
    data = _engine_data(actor.organization_id, current_settings().EMBEDDING_MODEL)
    faults: dict[AskedEngine, str | None] = {
        "auto": None,
        "content": None,
        "semantic": _fault_of_meaning(data["has_vectors"]),
        "context": None if data["has_work"] else NO_WORK,
        "collaborative": None if data["is_shared"] else TOO_SPARSE,
        "rediscover": None if data["has_forgotten"] else NOTHING_FORGOTTEN,
    }
    if not data["has_bookmarks"]:
        faults.update({name: fault or NO_BOOKMARKS for name, fault in faults.items()})
    return Engines(
        [
            EngineOut(name=name, available=fault is None, reason=fault, description=DESCRIPTIONS[name])
            for name, fault in faults.items()
        ]
    )


@cache.cached(timeout=CACHE_SECONDS["recommendations"], make_cache_key=per_organization("engines", "feedback"))
def _engine_data(organization_id: int, model: str) -> dict[str, bool]:
    return dict(read_engine_data(organization_id, model)._mapping)


def _fault_of_meaning(has_vectors: bool) -> str | None:
    if current_settings().EMBEDDING_PROVIDER == "none":
        return SWITCHED_OFF
    return embedding_fault() or (None if has_vectors else NO_VECTORS)
