"""Queries for suggestions: first the words that match, then the suggestions that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import aliased

from backend.actor import Actor
from backend.extensions import db
from backend.named_blocks import read_blocks
from backend.search.suggest.models import Suggestion
from backend.search.suggest.vocabulary import TYPO_LETTERS, is_one_typo, near_keys, prefix_range

KINDS = ("tag", "title", "domain")
# Limits of completions by use; a single letter has an index of its own and a lower limit.
COMPLETIONS = 100
LETTER_COMPLETIONS = 40
NEAR_WORDS = 500
# Up to these numbers of suggestions with a word, or with one of several, the word index finds all, which are sorted.
# Above them the first by rank are scanned for the most used words, and only without enough matches are all read.
MOST_SORTED = 1_500
MOST_CROSSED = 20_000
SCANNED = 2_000
SCANNED_WORDS = 15
FEW = 5
# More than are shown, since some are in the trash or have equal titles.
CANDIDATES = 30

SQL = read_blocks(Path(__file__).with_suffix(".sql"))
FIND_WORDS = text(SQL["find_words"])

# Scalar subqueries, not joins: right after an import, without table statistics, the planner would read all bookmarks
# for a join.
IS_LIVE = {
    "title": "(SELECT b.deleted_at IS NULL AND b.title = s.value FROM bookmarks b WHERE b.id = s.bookmark_id)",
    "tag": """(SELECT t.name = s.value FROM tags t WHERE t.id = s.tag_id)
        AND (SELECT true FROM bookmark_tags bt
              WHERE bt.tag_id = s.tag_id
                AND (SELECT b.deleted_at IS NULL FROM bookmarks b WHERE b.id = bt.bookmark_id) LIMIT 1)""",
    "domain": """(SELECT true FROM bookmarks b
        WHERE b.organization_id = s.organization_id AND b.domain = s.value AND b.deleted_at IS NULL LIMIT 1)""",
}
BY_WORDS = SQL["by_words"]
IN_ORDER = SQL["in_order"]
IF_FEW = " AND (SELECT count(*) FROM first_{kind}s) < :few"
BY_BEGINNING = SQL["by_beginning"].replace("{is_live_tag}", IS_LIVE["tag"])


class SuggestionCandidate(NamedTuple):
    """A candidate suggestion. `rank` orders within its kind, the highest first."""

    kind: str
    value: str
    rank: int
    is_exact: bool


@dataclass
class WordIds:
    """Ids of the words of one kind that match a typed word, and approximately how many suggestions hold one of them."""

    exact: list[int] = field(default_factory=list)
    near: list[int] = field(default_factory=list)
    exact_uses: int = 0
    near_uses: int = 0


def find_words(actor: Actor, typed: Sequence[tuple[str, bool]]) -> dict[str, list[WordIds]]:
    """Return, by kind and for each typed word, the matching words. One statement."""
    ranges = [(position, kind, *_range(*typed_word)) for position, typed_word in enumerate(typed) for kind in KINDS]
    letters = [
        (position, kind, word)
        for position, kind, word, _ in ranges
        if typed[position] == (word, True) and len(word) == 1
    ]
    positions, kinds, lows, highs = _columns(ranges, 4)
    letter_positions, letter_kinds, first_letters = _columns(letters, 3)
    rows = db.session.execute(
        FIND_WORDS,
        {
            "organization_id": actor.organization_id,
            "positions": positions,
            "kinds": kinds,
            "lows": lows,
            "highs": highs,
            "completions": COMPLETIONS,
            "letter_positions": letter_positions,
            "letter_kinds": letter_kinds,
            "letters": first_letters,
            "letter_completions": LETTER_COMPLETIONS,
            "near": [key for word, _ in typed for kind in KINDS for key in _near(actor, kind, word)],
            "near_words": NEAR_WORDS,
        },
    )
    words = {kind: [WordIds() for _ in typed] for kind in KINDS}
    for row in rows:
        if row.word is None:
            ids = words[row.kind][row.position]
            ids.exact += row.ids
            ids.exact_uses += row.uses
        else:
            _add_near(words[row.kind], typed, row)
    return words


def find_candidates(actor: Actor, words: dict[str, list[WordIds]], beginning: str) -> list[SuggestionCandidate]:
    """Return the suggestions that hold the words, or begin with the typed text. One statement.

    Args:
        words: From `find_words`; may be empty.
        beginning: The typed text as a sort key; not empty.
    """
    low, high = prefix_range(beginning)
    values: dict[str, Any] = {
        "organization_id": actor.organization_id,
        "low": low,
        "high": high,
        "candidates": CANDIDATES,
        "scanned": SCANNED,
        "few": FEW,
    }
    parts = [BY_BEGINNING]
    for kind, of_kind in words.items():
        parts += _by_words(kind, of_kind, values)
    rows = db.session.execute(text("\nUNION ALL".join(parts)), values)
    return [SuggestionCandidate(*row) for row in rows]


def most_used_tags(actor: Actor, limit: int) -> list[str]:
    """Return the tags with the most bookmarks. One statement."""
    s = aliased(Suggestion, name="s")
    of_tags = (s.organization_id == actor.organization_id, s.kind == "tag", text(IS_LIVE["tag"]))
    return list(db.session.scalars(select(s.value).where(*of_tags).order_by(s.rank.desc(), s.id.desc()).limit(limit)))


def _range(word: str, is_prefix: bool) -> tuple[str, str]:
    # Words hold no control characters, so the range contains the word alone.
    return prefix_range(word) if is_prefix and len(word) > 1 else (word, word + "\x01")


def _columns(rows: Sequence[tuple[Any, ...]], number: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(number)]


def _near(actor: Actor, kind: str, word: str) -> list[int]:
    if len(word) < TYPO_LETTERS - 1:
        return []
    return near_keys(actor.organization_id, kind, word)


def _add_near(words: Sequence[WordIds], typed: Iterable[tuple[str, bool]], row: Any) -> None:
    for ids, (word, is_prefix) in zip(words, typed, strict=True):
        if row.ids[0] not in ids.exact and is_one_typo(word, row.word, as_prefix=is_prefix):
            ids.near += row.ids
            ids.near_uses += row.uses


def _by_words(kind: str, words: Sequence[WordIds], values: dict[str, Any]) -> Iterator[str]:
    exact_uses = min((ids.exact_uses for ids in words), default=0)
    all_uses = min((ids.exact_uses + ids.near_uses for ids in words), default=0)
    exact = [ids.exact for ids in words]
    most = MOST_SORTED if len(words) == 1 else MOST_CROSSED
    is_live = IS_LIVE[kind]
    if exact_uses > most:
        often = _holds(kind, "often", [ids[:SCANNED_WORDS] for ids in exact], values)
        condition = _holds(kind, "exact", exact, values) + IF_FEW.format(kind=kind)
        others = BY_WORDS.format(exact="true", found=condition, is_live=is_live)
        yield IN_ORDER.format(kind=kind, exact=often, is_live=is_live, others=others)
    elif exact_uses < all_uses <= most:
        condition = _holds(kind, "all", [ids.exact + ids.near for ids in words], values)
        holds = _holds(kind, "exact", exact, values) if exact_uses else "false"
        yield BY_WORDS.format(exact=holds, found=condition, is_live=is_live)
    elif exact_uses:
        yield BY_WORDS.format(exact="true", found=_holds(kind, "exact", exact, values), is_live=is_live)


def _holds(kind: str, name_part: str, groups: Sequence[list[int]], values: dict[str, Any]) -> str:
    conditions = []
    for position, ids in enumerate(groups):
        name = f"{kind}_{name_part}_{position}"
        values[name] = ids
        conditions.append(f"word_ids && (SELECT CAST(:{name} AS bigint[]))")
    return "(" + " AND ".join(conditions) + ")"
