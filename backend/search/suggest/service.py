"""Suggestions while somebody types: recent searches, tags, titles, domains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from backend.actor import Actor
from backend.search.recent import LONGEST, recent_searches
from backend.search.schemas import Suggestions, SuggestItem, SuggestKind
from backend.search.suggest.queries import Candidate, find_candidates, find_words, most_used_tags
from backend.search.suggest.vocabulary import typed_words
from backend.text.tag_names import tag_key

LIMIT = 10
RECENT = 3
RECENT_BEFORE_TYPING = 5
# With so many that hold what was typed, nobody needs what holds something like it.
ENOUGH = 5
# Of more words the first and the last are looked for.
MAX_WORDS = 10
KINDS: tuple[SuggestKind, ...] = ("tag", "title", "domain")


def suggest(actor: Actor, q: str) -> Suggestions:
    """At most ten things to go on with: two statements and one round trip to Redis at most.

    What holds what was typed stands before what holds it but for one letter. Longer than 200 characters finds nothing.
    """
    q = q.strip()
    if not q:
        return _before_typing(actor)
    if len(q) > LONGEST:
        return Suggestions(items=[])
    recent = recent_searches(actor, q, RECENT)
    typed = typed_words(q)
    if len(typed) > MAX_WORDS:
        typed = [*typed[: MAX_WORDS - 1], typed[-1]]
    words = find_words(actor, typed) if typed else {}
    candidates = find_candidates(actor, words, tag_key(q))
    items = [_item("recent", value) for value in recent]
    return Suggestions(items=items + _fill(candidates, LIMIT - len(items), {value.casefold() for value in recent}))


def _before_typing(actor: Actor) -> Suggestions:
    recent = recent_searches(actor, "", LIMIT)
    tags = most_used_tags(actor, LIMIT)
    kept = max(RECENT_BEFORE_TYPING, LIMIT - len(tags))
    items = [_item("recent", value) for value in recent[:kept]] + [_item("tag", value) for value in tags]
    return Suggestions(items=items[:LIMIT])


def _fill(candidates: Sequence[Candidate], places: int, taken: set[str]) -> list[SuggestItem]:
    best = sorted(set(candidates), key=lambda one: (not one.is_exact, -one.rank, one.value))
    exact = _by_kind((one for one in best if one.is_exact), taken)
    chosen = _share(exact, places)
    if len(chosen) < ENOUGH:
        known = taken | {one.value.casefold() for values in exact for one in values if one.kind == "title"}
        shown = {(one.kind, one.value) for one in chosen}
        near = (one for one in best if not one.is_exact and (one.kind, one.value) not in shown)
        chosen += _share(_by_kind(near, known), places - len(chosen))
    return [_item(one.kind, one.value) for one in chosen]


def _by_kind(candidates: Iterable[Candidate], taken: set[str]) -> list[list[Candidate]]:
    """The candidates of each kind, every value once whatever its case; titles that are taken left out."""
    found: dict[str, dict[str, Candidate]] = {kind: {} for kind in KINDS}
    for one in candidates:
        key = one.value.casefold()
        if one.value and not (one.kind == "title" and key in taken):
            found[one.kind].setdefault(key, one)
    return [list(values.values()) for values in found.values()]


def _share(by_kind: Sequence[Sequence[Candidate]], places: int) -> list[Candidate]:
    """The best of each kind in turn until the places are full, then in the order of kinds."""
    turns = [one for turn in zip_longest(*by_kind) for one in turn if one is not None]
    chosen = set(turns[: max(0, places)])
    return [one for values in by_kind for one in values if one in chosen]


def _item(kind: str, value: str) -> SuggestItem:
    return SuggestItem.model_validate({"kind": kind, "value": value})
