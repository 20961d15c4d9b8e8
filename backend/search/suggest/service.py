"""Services for search suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from backend.actor import Actor
from backend.search.recent import LONGEST_SEARCH, recent_searches
from backend.search.schemas import Suggestions, SuggestItem, SuggestKind
from backend.search.suggest.queries import SuggestionCandidate, find_candidates, find_words, most_used_tags
from backend.search.suggest.vocabulary import typed_words
from backend.text.tag_names import tag_key

LIMIT = 10
RECENT_SHOWN = 3
RECENT_BEFORE_TYPING = 5
# With so many exact matches, near matches are not needed.
ENOUGH = 5
# A longer text is searched by its first words and its last one.
MAX_WORDS = 10
KINDS: tuple[SuggestKind, ...] = ("tag", "title", "domain")


def suggest(actor: Actor, q: str) -> Suggestions:
    """Return at most ten suggestions: two statements and one round trip to Redis at most.

    Exact matches precede those with one typing error. A text of more than 200 characters has no suggestions.
    """
    q = q.strip()
    if not q:
        return _before_typing(actor)
    if len(q) > LONGEST_SEARCH:
        return Suggestions(items=[])
    recent = recent_searches(actor, q, RECENT_SHOWN)
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
    shown = max(RECENT_BEFORE_TYPING, LIMIT - len(tags))
    items = [_item("recent", value) for value in recent[:shown]] + [_item("tag", value) for value in tags]
    return Suggestions(items=items[:LIMIT])


def _fill(candidates: Sequence[SuggestionCandidate], slots: int, taken: set[str]) -> list[SuggestItem]:
    best = sorted(set(candidates), key=lambda candidate: (not candidate.is_exact, -candidate.rank, candidate.value))
    exact = _by_kind((candidate for candidate in best if candidate.is_exact), taken)
    chosen = _share(exact, slots)
    if len(chosen) < ENOUGH:
        titles = taken | {
            candidate.value.casefold() for values in exact for candidate in values if candidate.kind == "title"
        }
        shown = {(candidate.kind, candidate.value) for candidate in chosen}
        near = (
            candidate for candidate in best if not candidate.is_exact and (candidate.kind, candidate.value) not in shown
        )
        chosen += _share(_by_kind(near, titles), slots - len(chosen))
    return [_item(candidate.kind, candidate.value) for candidate in chosen]


def _by_kind(candidates: Iterable[SuggestionCandidate], taken: set[str]) -> list[list[SuggestionCandidate]]:
    """Group candidates by kind, each value once regardless of case, without titles that are taken."""
    by_kind: dict[str, dict[str, SuggestionCandidate]] = {kind: {} for kind in KINDS}
    for candidate in candidates:
        key = candidate.value.casefold()
        if candidate.value and not (candidate.kind == "title" and key in taken):
            by_kind[candidate.kind].setdefault(key, candidate)
    return [list(values.values()) for values in by_kind.values()]


def _share(by_kind: Sequence[Sequence[SuggestionCandidate]], slots: int) -> list[SuggestionCandidate]:
    """Choose from the kinds in turn until the slots are full; return them in the order of kinds."""
    turns = [candidate for turn in zip_longest(*by_kind) for candidate in turn if candidate is not None]
    chosen = set(turns[: max(0, slots)])
    return [candidate for values in by_kind for candidate in values if candidate in chosen]


def _item(kind: str, value: str) -> SuggestItem:
    return SuggestItem.model_validate({"kind": kind, "value": value})
