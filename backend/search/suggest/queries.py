"""What the organization has that holds the words typed: first the words, then the things that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import aliased

from backend.actor import Actor
from backend.extensions import db
from backend.search.suggest.models import Suggestion
from backend.search.suggest.vocabulary import TYPO_LETTERS, is_one_typo, near_keys, prefix_range

KINDS = ("tag", "title", "domain")
# Of a prefix that many words share, those that most things hold; of a single letter, by an index of its own, fewer.
COMPLETIONS = 100
OF_ONE_LETTER = 40
NEAR_WORDS = 500
# Up to so many things that hold a word, or one of several words, are found by the index of words and put in order.
# Beyond, the first in order are looked through for the most used words, and only if those are elsewhere, all.
MOST_SORTED = 1_500
MOST_CROSSED = 20_000
LOOKED_THROUGH = 2_000
LOOKED_FOR = 15
FEW = 5
# More than are shown, since some of them are in the trash or have one title.
CANDIDATES = 30

# Arrays of ids come out of a SELECT, so that the planner does not see them: it takes each that it has no numbers for to
# be as common as the average, and reads the whole table rather than look up a hundred rare ones.
FIND_WORDS = text("""
    SELECT wanted.place, wanted.kind, NULL AS word, found.ids, found.uses
      FROM unnest(CAST(:places AS int[]), CAST(:kinds AS text[]), CAST(:lows AS text[]), CAST(:highs AS text[]))
           AS wanted(place, kind, low, high)
     CROSS JOIN LATERAL (
           SELECT array_agg(id) AS ids, CAST(sum(uses) AS bigint) AS uses
             FROM (SELECT id, uses FROM suggestion_words
                    WHERE organization_id = :organization_id AND kind = wanted.kind
                      AND word ~>=~ wanted.low AND word ~<~ wanted.high
                    ORDER BY word = wanted.low DESC, uses DESC, id LIMIT :completions) AS most_used) AS found
     WHERE found.ids IS NOT NULL
    UNION ALL
    SELECT wanted.place, wanted.kind, NULL, found.ids, found.uses
      FROM unnest(CAST(:letter_places AS int[]), CAST(:letter_kinds AS text[]), CAST(:letters AS text[]))
           AS wanted(place, kind, letter)
     CROSS JOIN LATERAL (
           SELECT array_agg(id) AS ids, CAST(sum(uses) AS bigint) AS uses
             FROM (SELECT id, uses FROM suggestion_words
                    WHERE organization_id = :organization_id AND kind = wanted.kind
                      AND left(word, 1) = wanted.letter AND word <> wanted.letter
                    ORDER BY uses DESC LIMIT :of_one_letter) AS most_used) AS found
     WHERE found.ids IS NOT NULL
    UNION ALL
    SELECT NULL, kind, word, ARRAY[id], uses
      FROM (SELECT * FROM suggestion_words WHERE near && (SELECT CAST(:near AS bigint[]))
             ORDER BY uses DESC, id LIMIT :near_words) AS near
     WHERE organization_id = :organization_id
""")

# Asked as single values, not as joins: right after an import, before PostgreSQL has counted its rows, the planner would
# read all bookmarks for a join.
IS_LIVE = {
    "title": "(SELECT b.deleted_at IS NULL AND b.title = s.value FROM bookmarks b WHERE b.id = s.bookmark_id)",
    "tag": """(SELECT t.name = s.value FROM tags t WHERE t.id = s.tag_id)
        AND (SELECT true FROM bookmark_tags bt
              WHERE bt.tag_id = s.tag_id
                AND (SELECT b.deleted_at IS NULL FROM bookmarks b WHERE b.id = bt.bookmark_id) LIMIT 1)""",
    "domain": """(SELECT true FROM bookmarks b
        WHERE b.organization_id = s.organization_id AND b.domain = s.value AND b.deleted_at IS NULL LIMIT 1)""",
}
# The ids of words are those of one organization and kind, so the index of words needs neither.
BY_WORDS = """
    (SELECT s.kind, s.value, s.rank, s.is_exact
       FROM (SELECT *, {exact} AS is_exact FROM suggestions WHERE {found}
              ORDER BY is_exact DESC, rank DESC, id DESC LIMIT :candidates) AS s
      WHERE s.organization_id = :organization_id AND {is_live})
"""
IN_ORDER = """
    (WITH first_{kind}s AS MATERIALIZED (
         SELECT s.kind, s.value, s.rank, true
           FROM (SELECT * FROM suggestions
                  WHERE organization_id = :organization_id AND kind = '{kind}'
                  ORDER BY rank DESC, id DESC LIMIT :looked_through) AS s
          WHERE {exact} AND {is_live} LIMIT :candidates)
     SELECT * FROM first_{kind}s
      UNION ALL
     {others})
"""
IF_FEW = " AND (SELECT count(*) FROM first_{kind}s) < :few"
# What begins with the whole of what is typed is found without the worker. The domains are taken one by one from their
# index, where a popular one stands many times.
BY_BEGINNING = """
    (SELECT 'title', title, CAST(extract(epoch FROM created_at) * 1000000 AS bigint), true FROM bookmarks
      WHERE organization_id = :organization_id AND deleted_at IS NULL
        AND title_key ~>=~ :low AND title_key ~<~ :high ORDER BY title_key USING ~<~ LIMIT :candidates)
    UNION ALL
    (SELECT 'tag', s.value, coalesce((SELECT rank FROM suggestions known WHERE known.tag_id = s.tag_id), 0), true
       FROM (SELECT id AS tag_id, name AS value FROM tags
              WHERE organization_id = :organization_id AND name_key ~>=~ :low AND name_key ~<~ :high
              ORDER BY name_key USING ~<~ LIMIT :candidates) AS s
      WHERE {is_live_tag})
    UNION ALL
    (WITH RECURSIVE steps(domain) AS (
         (SELECT domain FROM bookmarks
           WHERE organization_id = :organization_id AND deleted_at IS NULL AND domain >= :low
           ORDER BY domain LIMIT 1)
         UNION ALL
         SELECT (SELECT b.domain FROM bookmarks b
                  WHERE b.organization_id = :organization_id AND b.deleted_at IS NULL AND b.domain > steps.domain
                  ORDER BY b.domain LIMIT 1)
           FROM steps WHERE starts_with(steps.domain, :low))
     SELECT 'domain', s.value,
            coalesce((SELECT rank FROM suggestions known
                       WHERE known.organization_id = :organization_id AND known.kind = 'domain'
                         AND known.value = s.value), 0), true
       FROM (SELECT domain AS value FROM steps WHERE starts_with(domain, :low) LIMIT 10) AS s)
""".replace("{is_live_tag}", IS_LIVE["tag"])  # nosec B608


class Candidate(NamedTuple):
    """Something to suggest. `rank` orders within its kind, the highest first."""

    kind: str
    value: str
    rank: int
    is_exact: bool


@dataclass
class WordIds:
    """The words of one kind that a typed word may stand for, by id, and how many things hold one of them, about."""

    exact: list[int] = field(default_factory=list)
    near: list[int] = field(default_factory=list)
    exact_uses: int = 0
    near_uses: int = 0


def find_words(actor: Actor, typed: Sequence[tuple[str, bool]]) -> dict[str, list[WordIds]]:
    """By kind, for each typed word what it may stand for. One statement."""
    wanted = [(place, kind, *_range(*one)) for place, one in enumerate(typed) for kind in KINDS]
    letters = [
        (place, kind, word) for place, kind, word, _ in wanted if typed[place] == (word, True) and len(word) == 1
    ]
    places, kinds, lows, highs = _columns(wanted, 4)
    letter_places, letter_kinds, first_letters = _columns(letters, 3)
    rows = db.session.execute(
        FIND_WORDS,
        {
            "organization_id": actor.organization_id,
            "places": places,
            "kinds": kinds,
            "lows": lows,
            "highs": highs,
            "completions": COMPLETIONS,
            "letter_places": letter_places,
            "letter_kinds": letter_kinds,
            "letters": first_letters,
            "of_one_letter": OF_ONE_LETTER,
            "near": [key for word, _ in typed for kind in KINDS for key in _near(actor, kind, word)],
            "near_words": NEAR_WORDS,
        },
    )
    found = {kind: [WordIds() for _ in typed] for kind in KINDS}
    for row in rows:
        if row.word is None:
            ids = found[row.kind][row.place]
            ids.exact += row.ids
            ids.exact_uses += row.uses
        else:
            _add_near(found[row.kind], typed, row)
    return found


def find_candidates(actor: Actor, words: dict[str, list[WordIds]], beginning: str) -> list[Candidate]:
    """What holds the words, and what begins with what was typed. One statement.

    Args:
        words: Of `find_words`; without any, only the beginning counts.
        beginning: What was typed, in the form of keys; not empty.
    """
    low, high = prefix_range(beginning)
    values: dict[str, Any] = {
        "organization_id": actor.organization_id,
        "low": low,
        "high": high,
        "candidates": CANDIDATES,
        "looked_through": LOOKED_THROUGH,
        "few": FEW,
    }
    parts = [BY_BEGINNING]
    for kind, of_kind in words.items():
        parts += _by_words(kind, of_kind, values)
    rows = db.session.execute(text("\nUNION ALL".join(parts)), values)
    return [Candidate(*row) for row in rows]


def most_used_tags(actor: Actor, limit: int) -> list[str]:
    """The tags on the most bookmarks. One statement."""
    s = aliased(Suggestion, name="s")
    of_tags = (s.organization_id == actor.organization_id, s.kind == "tag", text(IS_LIVE["tag"]))
    return list(db.session.scalars(select(s.value).where(*of_tags).order_by(s.rank.desc(), s.id.desc()).limit(limit)))


def _range(word: str, is_prefix: bool) -> tuple[str, str]:
    # No word holds a control character, so nothing lies between a word and itself with one more.
    return prefix_range(word) if is_prefix and len(word) > 1 else (word, word + "\x01")


def _columns(rows: Sequence[tuple[Any, ...]], number: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(number)]


def _near(actor: Actor, kind: str, word: str) -> list[int]:
    if len(word) < TYPO_LETTERS - 1:
        return []
    return near_keys(actor.organization_id, kind, word)


def _add_near(found: Sequence[WordIds], typed: Iterable[tuple[str, bool]], row: Any) -> None:
    for ids, (word, is_prefix) in zip(found, typed, strict=True):
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
        often = _holds(kind, "often", [ids[:LOOKED_FOR] for ids in exact], values)
        found = _holds(kind, "exact", exact, values) + IF_FEW.format(kind=kind)
        others = BY_WORDS.format(exact="true", found=found, is_live=is_live)
        yield IN_ORDER.format(kind=kind, exact=often, is_live=is_live, others=others)
    elif exact_uses < all_uses <= most:
        found = _holds(kind, "all", [ids.exact + ids.near for ids in words], values)
        holds = _holds(kind, "exact", exact, values) if exact_uses else "false"
        yield BY_WORDS.format(exact=holds, found=found, is_live=is_live)
    elif exact_uses:
        yield BY_WORDS.format(exact="true", found=_holds(kind, "exact", exact, values), is_live=is_live)


def _holds(kind: str, which: str, groups: Sequence[list[int]], values: dict[str, Any]) -> str:
    conditions = []
    for place, ids in enumerate(groups):
        name = f"{kind}_{which}_{place}"
        values[name] = ids
        conditions.append(f"word_ids && (SELECT CAST(:{name} AS bigint[]))")
    return "(" + " AND ".join(conditions) + ")"
