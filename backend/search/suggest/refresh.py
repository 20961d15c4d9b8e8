"""Bringing suggestions up to date: what changed since the last time, in batches of one transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, text

from backend.extensions import db
from backend.search.suggest.models import SuggestionState
from backend.search.suggest.vocabulary import near_keys, words_in

BATCH = 2_000
# Changes become visible when they are committed, under the time at which they began: requests are cut off well before.
OVERLAP = timedelta(minutes=5)
# Uses are counted anew when one bookmark in so many has changed, so that a change costs the same in large collections.
RECOUNT_SHARE = 50

DUE = text("""
    SELECT o.id FROM organizations o
      LEFT JOIN suggestion_states s ON s.organization_id = o.id
     WHERE (SELECT true FROM bookmarks b
             WHERE b.organization_id = o.id AND b.deleted_at IS NULL
               AND b.updated_at > coalesce(s.refreshed_to, '-infinity') LIMIT 1)
     ORDER BY s.refreshed_to NULLS FIRST, o.id LIMIT :limit
""")
START = text("""
    INSERT INTO suggestion_states (organization_id, refreshed_to)
    SELECT id, '1000-01-01Z' FROM organizations WHERE id = :organization_id
    ON CONFLICT DO NOTHING
""")
CHANGED = text("""
    SELECT b.id, b.title AS value, CAST(extract(epoch FROM b.created_at) * 1000000 AS bigint) AS rank, b.updated_at,
           s.value IS NULL OR s.value <> b.title OR s.rank <> extract(epoch FROM b.created_at) * 1000000 AS is_stale
      FROM (SELECT * FROM bookmarks
             WHERE organization_id = :organization_id AND deleted_at IS NULL AND (updated_at, id) > (:moment, :id)
             ORDER BY updated_at, id LIMIT :batch) AS b
      LEFT JOIN suggestions s ON s.bookmark_id = b.id
     ORDER BY b.updated_at, b.id
""")
CHANGED_TAGS = text("""
    SELECT t.id, t.name AS value, coalesce(s.rank, 1) AS rank
      FROM (SELECT DISTINCT tag_id FROM bookmark_tags WHERE bookmark_id = ANY(:ids)) AS carried
      JOIN tags t ON t.id = carried.tag_id
      LEFT JOIN suggestions s ON s.tag_id = t.id
     WHERE s.value IS DISTINCT FROM t.name
     ORDER BY t.id
""")
CHANGED_DOMAINS = text("""
    SELECT NULL AS id, domain AS value, 1 AS rank
      FROM (SELECT DISTINCT domain FROM bookmarks WHERE id = ANY(:ids)) AS saved
     WHERE domain <> ''
       AND NOT EXISTS (SELECT 1 FROM suggestions s
                        WHERE s.organization_id = :organization_id AND s.kind = 'domain' AND s.value = saved.domain)
     ORDER BY domain
""")
DELETE_TRASHED = text("""
    DELETE FROM suggestions s USING bookmarks b
     WHERE b.organization_id = :organization_id AND b.deleted_at > :moment AND s.bookmark_id = b.id
""")
KNOWN_WORDS = text("""
    SELECT id, word FROM suggestion_words
     WHERE organization_id = :organization_id AND kind = :kind AND word = ANY(:words)
""")
ADD_WORDS = text("""
    INSERT INTO suggestion_words (organization_id, kind, word, near)
    SELECT :organization_id, :kind, word, CAST(near AS bigint[])
      FROM unnest(CAST(:words AS text[]), CAST(:near AS text[])) AS given(word, near)
    ON CONFLICT (organization_id, kind, word) DO NOTHING
    RETURNING id, word
""")
OLD_WORDS = {
    "title": text("SELECT word_ids FROM suggestions WHERE bookmark_id = ANY(:ids)"),
    "tag": text("SELECT word_ids FROM suggestions WHERE tag_id = ANY(:ids)"),
}
COUNT_WORDS = text("""
    UPDATE suggestion_words w SET uses = greatest(0, w.uses + given.more)
      FROM unnest(CAST(:ids AS bigint[]), CAST(:more AS bigint[])) AS given(id, more)
     WHERE w.id = given.id
""")
# What was deleted meanwhile is not stored; what is stored cannot be deleted before the end of the transaction.
STORE = {
    "title": text("""
        INSERT INTO suggestions (organization_id, kind, value, rank, bookmark_id, word_ids)
        SELECT :organization_id, 'title', given.value, given.rank, b.id, CAST(given.word_ids AS bigint[])
          FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS text[]),
                      CAST(:ranks AS bigint[]), CAST(:word_ids AS text[]))
               AS given(id, value, rank, word_ids)
          JOIN bookmarks b ON b.id = given.id
         ORDER BY b.id FOR KEY SHARE OF b
        ON CONFLICT (bookmark_id) DO UPDATE
           SET value = excluded.value, rank = excluded.rank, word_ids = excluded.word_ids
    """),
    "tag": text("""
        INSERT INTO suggestions (organization_id, kind, value, rank, tag_id, word_ids)
        SELECT :organization_id, 'tag', given.value, given.rank, t.id, CAST(given.word_ids AS bigint[])
          FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS text[]),
                      CAST(:ranks AS bigint[]), CAST(:word_ids AS text[]))
               AS given(id, value, rank, word_ids)
          JOIN tags t ON t.id = given.id
         ORDER BY t.id FOR KEY SHARE OF t
        ON CONFLICT (tag_id) DO UPDATE SET value = excluded.value, word_ids = excluded.word_ids
    """),
    "domain": text("""
        INSERT INTO suggestions (organization_id, kind, value, rank, word_ids)
        SELECT :organization_id, 'domain', given.value, given.rank, CAST(given.word_ids AS bigint[])
          FROM unnest(CAST(:ids AS bigint[]), CAST(:values AS text[]),
                      CAST(:ranks AS bigint[]), CAST(:word_ids AS text[]))
               AS given(id, value, rank, word_ids)
        ON CONFLICT (organization_id, value) WHERE kind = 'domain' DO NOTHING
    """),
}
COUNT_TAGS = text("""
    UPDATE suggestions s SET rank = counted.uses
      FROM (SELECT t.id, count(b.id) AS uses
              FROM tags t
              LEFT JOIN bookmark_tags bt ON bt.tag_id = t.id
              LEFT JOIN bookmarks b ON b.id = bt.bookmark_id AND b.deleted_at IS NULL
             WHERE t.organization_id = :organization_id GROUP BY t.id) AS counted
     WHERE s.tag_id = counted.id AND s.rank <> counted.uses
""")
COUNT_DOMAINS = text("""
    UPDATE suggestions s SET rank = coalesce(counted.uses, 0)
      FROM suggestions own
      LEFT JOIN (SELECT domain, count(*) AS uses FROM bookmarks
                  WHERE organization_id = :organization_id AND deleted_at IS NULL GROUP BY domain) AS counted
        ON counted.domain = own.value
     WHERE own.organization_id = :organization_id AND own.kind = 'domain'
       AND s.id = own.id AND s.rank <> coalesce(counted.uses, 0)
""")
DELETE_UNUSED = text("""
    DELETE FROM suggestions WHERE organization_id = :organization_id AND kind = 'domain' AND rank = 0
""")
RECOUNT_WORDS = text("""
    WITH counted AS (
        SELECT word_id, count(*) AS uses FROM suggestions, unnest(word_ids) AS word_id
         WHERE organization_id = :organization_id GROUP BY word_id),
    unused AS (
        DELETE FROM suggestion_words w
         WHERE w.organization_id = :organization_id AND NOT EXISTS (SELECT 1 FROM counted WHERE word_id = w.id))
    UPDATE suggestion_words w SET uses = counted.uses
      FROM counted WHERE w.id = counted.word_id AND w.uses <> counted.uses
""")
COUNT_BOOKMARKS = text("SELECT count(*) FROM bookmarks WHERE organization_id = :organization_id AND deleted_at IS NULL")


class Entry(NamedTuple):
    """Something to be suggested: the id of its bookmark or tag (a domain has none), its text, its rank."""

    id: int | None
    value: str
    rank: int


def due_organizations(limit: int) -> list[int]:
    """Organizations with bookmarks that changed since their suggestions were refreshed, the longest ago first."""
    return list(db.session.scalars(DUE, {"limit": limit}))


def refresh_organization(organization_id: int) -> None:
    """Bring the suggestions of an organization up to date. Safe to run twice, also at once; commits each batch."""
    started = db.session.scalar(text("SELECT now()"))
    assert isinstance(started, datetime)
    place: tuple[datetime, int] | None = None
    while True:
        state = _lock_state(organization_id)
        if state is None:
            db.session.rollback()
            return
        before = state.refreshed_to
        place = place or (before, 0)
        rows = _changed(organization_id, place)
        state.changed += _refresh(organization_id, rows)
        if rows:
            place = (rows[-1].updated_at, rows[-1].id)
            state.refreshed_to = max(before, min(place[0], started - OVERLAP))
        if len(rows) < BATCH:
            break
        db.session.commit()
    db.session.execute(DELETE_TRASHED, {"organization_id": organization_id, "moment": before - OVERLAP})
    state.refreshed_to = max(state.refreshed_to, started - OVERLAP)
    if _is_recount_due(state):
        _recount(organization_id)
        state.changed = 0
    db.session.commit()


def _lock_state(organization_id: int) -> SuggestionState | None:
    db.session.execute(START, {"organization_id": organization_id})
    which = select(SuggestionState).where(SuggestionState.organization_id == organization_id)
    return db.session.scalar(which.with_for_update().execution_options(populate_existing=True))


def _changed(organization_id: int, place: tuple[datetime, int]) -> Sequence[Any]:
    values = {"organization_id": organization_id, "moment": place[0], "id": place[1], "batch": BATCH}
    return db.session.execute(CHANGED, values).all()


def _refresh(organization_id: int, rows: Sequence[Any]) -> int:
    """How many titles were new or changed."""
    if not rows:
        return 0
    stale = [Entry(row.id, row.value, row.rank) for row in rows if row.is_stale]
    _store(organization_id, "title", stale)
    values = {"organization_id": organization_id, "ids": [row.id for row in rows]}
    for kind, statement in (("tag", CHANGED_TAGS), ("domain", CHANGED_DOMAINS)):
        entries = [Entry(*row) for row in db.session.execute(statement, values)]
        _store(organization_id, kind, entries)
    return len(stale)


def _store(organization_id: int, kind: str, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    words_of = {entry: words_in(entry.value) for entry in entries}
    ids = _word_ids(organization_id, kind, words_of.values())
    word_ids = {entry: [ids[word] for word in words] for entry, words in words_of.items()}
    uses = Counter(id_ for held in word_ids.values() for id_ in held)
    if kind in OLD_WORDS:
        for held in db.session.scalars(OLD_WORDS[kind], {"ids": [entry.id for entry in entries]}):
            uses.subtract(held)
    db.session.execute(
        STORE[kind],
        {
            "organization_id": organization_id,
            "ids": [entry.id for entry in entries],
            "values": [entry.value for entry in entries],
            "ranks": [entry.rank for entry in entries],
            "word_ids": [_literal(word_ids[entry]) for entry in entries],
        },
    )
    changed = {id_: more for id_, more in uses.items() if more}
    db.session.execute(COUNT_WORDS, {"ids": list(changed), "more": list(changed.values())})


def _word_ids(organization_id: int, kind: str, texts: Iterable[Iterable[str]]) -> Mapping[str, int]:
    """The ids of all words of the texts; those that are new are added."""
    words = sorted({word for held in texts for word in held})
    which = {"organization_id": organization_id, "kind": kind}
    ids = {row.word: row.id for row in db.session.execute(KNOWN_WORDS, {**which, "words": words})}
    new = [word for word in words if word not in ids]
    if new:
        near = [_literal(near_keys(organization_id, kind, word)) for word in new]
        ids |= {row.word: row.id for row in db.session.execute(ADD_WORDS, {**which, "words": new, "near": near})}
    return ids


def _literal(numbers: Iterable[int]) -> str:
    """PostgreSQL's text form of an array: as one of arrays of unlike lengths none can be sent."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _is_recount_due(state: SuggestionState) -> bool:
    if not state.changed:
        return False
    saved = db.session.scalar(COUNT_BOOKMARKS, {"organization_id": state.organization_id}) or 0
    return state.changed * RECOUNT_SHARE >= saved


def _recount(organization_id: int) -> None:
    for statement in (COUNT_TAGS, COUNT_DOMAINS, DELETE_UNUSED, RECOUNT_WORDS):
        db.session.execute(statement, {"organization_id": organization_id})
