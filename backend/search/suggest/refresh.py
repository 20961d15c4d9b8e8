"""Refresh of suggestions: applies changes since the last refresh, in batches of one transaction each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, text

from backend.extensions import db
from backend.named_blocks import read_statements
from backend.search.suggest.models import SuggestionState
from backend.search.suggest.vocabulary import near_keys, words_in

BATCH = 2_000
# A commit makes rows visible whose timestamp is that of the transaction's start; requests end well before this.
OVERLAP = timedelta(minutes=5)
# Uses are recounted when one in so many bookmarks has changed, so that the amortised cost does not depend on the size.
RECOUNT_SHARE = 50

SQL = read_statements(__file__)
DUE = SQL["due"]
START = SQL["start"]
CHANGED = SQL["changed"]
CHANGED_TAGS = SQL["changed_tags"]
CHANGED_DOMAINS = SQL["changed_domains"]
DELETE_TRASHED = SQL["delete_trashed"]
KNOWN_WORDS = SQL["known_words"]
ADD_WORDS = SQL["add_words"]
OLD_WORDS = {
    "title": text("SELECT word_ids FROM suggestions WHERE bookmark_id = ANY(:ids)"),
    "tag": text("SELECT word_ids FROM suggestions WHERE tag_id = ANY(:ids)"),
}
COUNT_WORDS = SQL["count_words"]
STORE = {kind: SQL[f"store_{kind}"] for kind in ("title", "tag", "domain")}
COUNT_TAGS = SQL["count_tags"]
COUNT_DOMAINS = SQL["count_domains"]
DELETE_UNUSED = SQL["delete_unused"]
RECOUNT_WORDS = SQL["recount_words"]
COUNT_BOOKMARKS = text("SELECT count(*) FROM bookmarks WHERE organization_id = :organization_id AND deleted_at IS NULL")


class SuggestionEntry(NamedTuple):
    """A suggestion to store: id of the bookmark or tag (None for a domain), text, and rank."""

    id: int | None
    value: str
    rank: int


def due_organizations(limit: int) -> list[int]:
    """Return organizations with changes since their last refresh, the longest ago first."""
    return list(db.session.scalars(DUE, {"limit": limit}))


def refresh_organization(organization_id: int) -> None:
    """Refresh the suggestions of an organization. Idempotent, also concurrently; commits each batch."""
    started = db.session.scalar(text("SELECT now()"))
    assert isinstance(started, datetime)
    after: tuple[datetime, int] | None = None
    while True:
        state = _lock_state(organization_id)
        if state is None:
            db.session.rollback()
            return
        before = state.refreshed_to
        after = after or (before, 0)
        rows = _changed(organization_id, after)
        state.changed += _refresh(organization_id, rows)
        if rows:
            after = (rows[-1].updated_at, rows[-1].id)
            state.refreshed_to = max(before, min(after[0], started - OVERLAP))
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
    statement = select(SuggestionState).where(SuggestionState.organization_id == organization_id)
    return db.session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def _changed(organization_id: int, after: tuple[datetime, int]) -> Sequence[Any]:
    values = {"organization_id": organization_id, "moment": after[0], "id": after[1], "batch": BATCH}
    return db.session.execute(CHANGED, values).all()


def _refresh(organization_id: int, rows: Sequence[Any]) -> int:
    """Refresh the suggestions of changed bookmarks; return how many titles were new or changed."""
    if not rows:
        return 0
    stale = [SuggestionEntry(row.id, row.value, row.rank) for row in rows if row.is_stale]
    _store(organization_id, "title", stale)
    values = {"organization_id": organization_id, "ids": [row.id for row in rows]}
    for kind, statement in (("tag", CHANGED_TAGS), ("domain", CHANGED_DOMAINS)):
        entries = [SuggestionEntry(*row) for row in db.session.execute(statement, values)]
        _store(organization_id, kind, entries)
    return len(stale)


def _store(organization_id: int, kind: str, entries: Sequence[SuggestionEntry]) -> None:
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
    """Return the ids of all words of the texts; new ones are inserted."""
    words = sorted({word for held in texts for word in held})
    vocabulary = {"organization_id": organization_id, "kind": kind}
    ids = {row.word: row.id for row in db.session.execute(KNOWN_WORDS, {**vocabulary, "words": words})}
    new = [word for word in words if word not in ids]
    if new:
        near = [_literal(near_keys(organization_id, kind, word)) for word in new]
        ids |= {row.word: row.id for row in db.session.execute(ADD_WORDS, {**vocabulary, "words": new, "near": near})}
    return ids


def _literal(numbers: Iterable[int]) -> str:
    """Format an array for PostgreSQL: arrays of different lengths cannot be sent as an array of arrays."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _is_recount_due(state: SuggestionState) -> bool:
    if not state.changed:
        return False
    saved = db.session.scalar(COUNT_BOOKMARKS, {"organization_id": state.organization_id}) or 0
    return state.changed * RECOUNT_SHARE >= saved


def _recount(organization_id: int) -> None:
    for statement in (COUNT_TAGS, COUNT_DOMAINS, DELETE_UNUSED, RECOUNT_WORDS):
        db.session.execute(statement, {"organization_id": organization_id})
