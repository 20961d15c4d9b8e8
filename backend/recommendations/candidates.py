"""Candidate generation: one statement that unions the candidates of all engines, with the features for scoring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    Subquery,
    and_,
    column,
    func,
    null,
    select,
    union_all,
)

from backend.actor import Actor
from backend.bookmarks.models import Bookmark, BookmarkDocument, BookmarkTag
from backend.extensions import db
from backend.index.embeddings import vector_literal
from backend.index.models import BookmarkEmbedding
from backend.index.nearest import nearest
from backend.named_blocks import read_statements
from backend.projects.models import ProjectBookmark
from backend.recommendations.models import Feedback
from backend.recommendations.subjects import Subject
from backend.recommendations.user_profile import NEGATIVE, Vector, decode_vector
from backend.search.ranking import WordSearch

# Limits of the candidate sources.
BY_WORDS, BY_MEANING, BY_CONTEXT, BY_CO_OCCURRENCE, OLDEST, NEWEST = 120, 150, 40, 60, 60, 60
# Bound on the oldest bookmarks scanned for unread ones.
OLDEST_SEEN = 400

CO_OCCURRENCE = read_statements(__file__)["co_occurrence"].columns(
    column("id", BigInteger), column("score"), column("people", Integer), column("baskets", Integer),
    column("projects", Integer),
)  # fmt: skip
# Minimum similarity of two projects' texts, and the weight of feedback relative to attachments.
MINIMUM_SIMILARITY, FEEDBACK_WEIGHT = 0.6, 0.7


@dataclass(frozen=True)
class CandidateQuery:
    """Query of candidate generation: by words, by meaning, by active work, by co-occurrence, and for rediscovery.

    `meaning` is the vector of subject and profile, `work_vectors` are those of the most urgent work.
    """

    content: WordSearch | None
    context: WordSearch | None
    meaning: Vector | None
    work_vectors: Sequence[Vector]
    text_vector: Vector | None
    item_ids: Sequence[int]
    by_co_occurrence: bool
    for_rediscovery: bool


@dataclass(frozen=True)
class Candidate:
    """A candidate bookmark and its features.

    Attributes:
        content: BM25 score for the words of subject and profile.
        context: BM25 score for the words of active work.
        together: Co-occurrence score; `people` and `projects` count its sources.
        vector: Embedding of length 1, or None.
        feedback: The person's positive feedback for this subject, or None.
        seen_at: When the person last opened it, or anybody changed it.
    """

    id: int
    content: float
    context: float
    together: float
    people: int
    projects: int
    vector: Vector | None
    tag_ids: tuple[int, ...]
    feedback: str | None
    is_read: bool
    is_favorite: bool
    created_at: datetime
    seen_at: datetime


def find_candidates(
    actor: Actor, subject: Subject, query: CandidateQuery, model: str | None, *, by_index: bool, exclude_read: bool
) -> list[Candidate]:
    """Return the candidates of all sources, without those attached, refused, archived or trashed. One statement."""
    together = _together(actor, subject, query, model)
    pool = union_all(
        *(select(statement.subquery().c.id) for statement in _sources(actor, query, model, together, by_index))
    )
    ids = select(pool.subquery().c.id).distinct().subquery("pool")
    where = [Bookmark.organization_id == actor.organization_id, *_eligible(actor, subject)]
    if exclude_read:
        where.append(Bookmark.is_read.is_(False))
    statement = _with_features(actor, subject, query, model, together).join(ids, ids.c.id == Bookmark.id).where(*where)
    return [_candidate(row) for row in db.session.execute(statement)]


def _sources(
    actor: Actor, query: CandidateQuery, model: str | None, together: Subquery, by_index: bool
) -> Iterator[Select[Any]]:
    # With nothing known about the subject, the newest bookmarks are the best guess.
    conditions = (Bookmark.organization_id == actor.organization_id, Bookmark.deleted_at.is_(None))
    newest = select(Bookmark.id).where(*conditions).order_by(Bookmark.created_at.desc(), Bookmark.id.desc())
    yield newest.limit(NEWEST)
    if query.content is not None:
        yield cast("Select[Any]", query.content.candidates(BY_WORDS))
    if query.context is not None:
        yield cast("Select[Any]", query.context.candidates(BY_CONTEXT))
    if model is not None:
        if query.meaning is not None:
            yield nearest(actor, query.meaning, model, BY_MEANING, by_index=by_index)
        for vector in query.work_vectors:
            yield nearest(actor, vector, model, BY_CONTEXT, by_index=by_index)
    if query.by_co_occurrence:
        yield select(together.c.id)
    if query.for_rediscovery:
        oldest = select(Bookmark.id, Bookmark.is_read).where(*conditions).order_by(Bookmark.created_at, Bookmark.id)
        seen = oldest.limit(OLDEST_SEEN).subquery()
        yield select(seen.c.id).where(seen.c.is_read.is_(False)).limit(OLDEST)


def _together(actor: Actor, subject: Subject, query: CandidateQuery, model: str | None) -> Subquery:
    values = {
        "items": list(query.item_ids),
        "size": max(1, len(query.item_ids)),
        "project": subject.project_id,
        "vector": None if query.text_vector is None else vector_literal(query.text_vector),
        "likeness": MINIMUM_SIMILARITY,
        "of_said": FEEDBACK_WEIGHT,
        "organization": actor.organization_id,
        "model": model,
        "user": actor.user_id,
        "subject": subject.key,
        "most": BY_CO_OCCURRENCE if query.by_co_occurrence else 0,
    }
    return select(CO_OCCURRENCE.bindparams(**values).cte("together")).subquery()


def _eligible(actor: Actor, subject: Subject) -> Iterator[ColumnElement[bool]]:
    """Yield conditions on Bookmark: outside trash and archive, neither attached nor refused for this subject."""
    yield Bookmark.deleted_at.is_(None)
    yield Bookmark.is_archived.is_(False)
    if subject.bookmark_id is not None:
        yield Bookmark.id != subject.bookmark_id
    if subject.project_id is not None:
        attached = select(ProjectBookmark.bookmark_id).where(
            ProjectBookmark.project_id == subject.project_id, ProjectBookmark.bookmark_id == Bookmark.id
        )
        yield ~attached.correlate(Bookmark).exists()
    refused = _own_feedback(actor, subject).where(Feedback.kind.in_([*NEGATIVE]))
    yield ~refused.correlate(Bookmark).exists()


def _own_feedback(actor: Actor, subject: Subject) -> Select[Any]:
    return select(Feedback.kind).where(
        Feedback.user_id == actor.user_id,
        Feedback.organization_id == actor.organization_id,
        Feedback.subject == subject.key,
        Feedback.bookmark_id == Bookmark.id,
    )


def _with_features(
    actor: Actor, subject: Subject, query: CandidateQuery, model: str | None, together: Subquery
) -> Select[Any]:
    opened = select(func.max(Feedback.updated_at)).where(
        Feedback.bookmark_id == Bookmark.id, Feedback.user_id == actor.user_id, Feedback.kind == "opened"
    )
    tag_ids = select(func.array_agg(BookmarkTag.tag_id)).where(BookmarkTag.bookmark_id == Bookmark.id)
    feedback = _own_feedback(actor, subject).order_by(Feedback.slot.desc()).limit(1)
    columns = (
        *(_score(query.content).label("content"), _score(query.context).label("context")),
        *(together.c.score, together.c.people, together.c.projects),
        func.halfvec_send(BookmarkEmbedding.embedding).label("vector"),
        tag_ids.correlate(Bookmark).scalar_subquery().label("tag_ids"),
        feedback.correlate(Bookmark).scalar_subquery().label("feedback"),
        *(Bookmark.is_read, Bookmark.is_favorite, Bookmark.created_at),
        func.greatest(Bookmark.updated_at, opened.correlate(Bookmark).scalar_subquery()).label("seen_at"),
    )
    own = and_(BookmarkEmbedding.bookmark_id == Bookmark.id, BookmarkEmbedding.model == (model or ""))
    return (
        select(Bookmark.id, *columns)
        .select_from(Bookmark)
        .join(BookmarkDocument, BookmarkDocument.bookmark_id == Bookmark.id)
        .outerjoin(BookmarkEmbedding, own)
        .outerjoin(together, together.c.id == Bookmark.id)
    )


def _score(search: WordSearch | None) -> ColumnElement[Any]:
    return null() if search is None else search.score()


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(
        row.id,
        float(row.content or 0.0),
        float(row.context or 0.0),
        float(row.score or 0.0),
        row.people or 0,
        row.projects or 0,
        decode_vector(row.vector),
        tuple(row.tag_ids or ()),
        row.feedback,
        row.is_read,
        row.is_favorite,
        row.created_at,
        row.seen_at,
    )
