"""What makes kept answers worthless: a change of an organization's things, of a person, or of everything.

An answer about one bookmark depends on that bookmark (and on what changes many at once), every other on the whole
organization. Each has a *generation*, a random mark in Redis that is set anew after the commit of every change. An
answer is kept with the generations that were read before its first statement, and is good while they stand. Who has
seen a write end therefore never gets an answer from before it, through whatever process.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from backend.extensions import redis_gate
from backend.redis_gate import Mark

# Longer than any answer is kept: a generation that nobody sets is forgotten only after all that leant on it.
GENERATION_SECONDS = 2 * 86400
EVERYTHING = "generation:all"


def changed_person(user_id: int) -> dict[str, Mark]:
    """The mark that makes what was kept for a person worthless."""
    return {f"generation:person:{user_id}": _fresh()}


def announce_change(organization_ids: Iterable[int], user_ids: Iterable[int] = ()) -> None:
    """Make all that was kept of these worthless, after the commit that changed them. One round trip."""
    marks: dict[str, Mark] = {}
    for one in organization_ids:
        marks |= _changed_lists(one) | {f"generation:bookmarks-of:{one}": _fresh()}
    for user_id in user_ids:
        marks |= changed_person(user_id)
    redis_gate().announce(marks)


def announce_change_of_bookmark(organization_id: int, bookmark_id: int) -> None:
    """Make worthless what was kept of a bookmark, and of its organization all but other bookmarks. One round trip."""
    redis_gate().announce(_changed_lists(organization_id) | {f"generation:bookmark:{bookmark_id}": _fresh()})


def announce_change_of_everything() -> None:
    """Make all that is kept worthless. One round trip."""
    redis_gate().announce({EVERYTHING: _fresh()})


def _changed_lists(organization_id: int) -> dict[str, Mark]:
    return {f"generation:organization:{organization_id}": _fresh()}


def _fresh() -> Mark:
    return secrets.token_bytes(8), GENERATION_SECONDS
