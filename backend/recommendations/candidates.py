"""What may be recommended: found by every engine that was asked, with all that engines need to judge it."""

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
    text,
    union_all,
)

from backend.actor import Actor
from backend.bookmarks.models import Bookmark, BookmarkDocument, BookmarkEmbedding, BookmarkTag
from backend.extensions import db
from backend.index.embeddings import vector_literal
from backend.index.nearest import nearest
from backend.projects.models import ProjectBookmark
from backend.recommendations.models import Feedback
from backend.recommendations.subjects import Subject
from backend.recommendations.user_profile import NEGATIVE, Vector, vector_of
from backend.search.ranking import WordSearch

# How many each way of finding contributes.
BY_WORDS, BY_MEANING, BY_CONTEXT, BY_OTHERS, OLDEST, NEWEST = 120, 150, 40, 60, 60, 60
# Behind the oldest bookmarks that are not looked at, a search for unread ones ends.
OLDEST_SEEN = 400

# Projects, and what one person said for one subject, are baskets; what lies in one with bookmarks that are wanted may
# be wanted too. A basket speaks for its bookmarks by the cosine of what it shares with the taste, and a project besides
# by how alike its text is. What has not even two shared bookmarks, or two baskets, behind it is left out: the data is
# too thin to speak. See Sarwar et al. 2001, doi:10.1145/371920.372071, for recommending by what occurs together.
TOGETHER = text("""
    SELECT i.id, sum(i.weight) AS score, count(DISTINCT i.person) AS people, count(DISTINCT i.basket) AS baskets,
           count(DISTINCT i.basket) FILTER (WHERE i.is_project) AS projects
      FROM (
           SELECT pb.bookmark_id AS id, pb.attached_by AS person, 'p' || b.id AS basket, true AS is_project,
                  b.shared / sqrt(b.size * :size) + greatest(0, b.likeness - :likeness) AS weight,
                  b.shared + CAST(b.likeness > :likeness AS int) AS grounds
             FROM (
                  SELECT p.id, greatest(max(n.shared), 0) AS shared, greatest(max(n.likeness), 0) AS likeness,
                         (SELECT count(*) FROM project_bookmarks s WHERE s.project_id = p.id) AS size
                    FROM (
                         (SELECT pb.project_id, count(*) AS shared, CAST(0 AS float8) AS likeness
                            FROM project_bookmarks pb
                           WHERE pb.bookmark_id = ANY(CAST(:taste AS bigint[]))
                             AND pb.project_id IS DISTINCT FROM CAST(:project AS bigint)
                           GROUP BY pb.project_id ORDER BY 2 DESC, 1 DESC LIMIT 30)
                         UNION ALL
                         (SELECT e.project_id, 0, 1 - (e.embedding <=> CAST(:vector AS halfvec)) AS likeness
                            FROM (SELECT e.project_id, e.embedding FROM subject_embeddings e
                                   WHERE e.organization_id = :organization AND e.project_id IS NOT NULL
                                     AND e.model = :model AND CAST(:vector AS text) IS NOT NULL
                                     AND e.project_id IS DISTINCT FROM CAST(:project AS bigint)
                                   ORDER BY e.organization_id LIMIT 2000) e
                           ORDER BY 3 DESC LIMIT 10)) n
                    JOIN projects p ON p.id = n.project_id
                   WHERE p.organization_id = :organization AND p.deleted_at IS NULL
                     AND (n.shared > 0 OR n.likeness > :likeness)
                   GROUP BY p.id) b
            CROSS JOIN LATERAL (SELECT pb.bookmark_id, pb.attached_by FROM project_bookmarks pb
                                 WHERE pb.project_id = b.id ORDER BY pb.attached_at DESC LIMIT 100) pb
           UNION ALL
           SELECT f.bookmark_id, f.user_id, 'f' || s.user_id || s.subject, false,
                  :of_said * s.shared / sqrt(s.size * :size), s.shared
             FROM (SELECT f.user_id, f.subject, count(*) AS shared,
                          (SELECT count(*) FROM feedback g
                            WHERE g.user_id = f.user_id AND g.organization_id = :organization
                              AND g.subject = f.subject) AS size
                     FROM feedback f
                    WHERE f.bookmark_id = ANY(CAST(:taste AS bigint[])) AND f.organization_id = :organization
                      AND f.kind IN ('relevant', 'saved', 'opened')
                      AND (f.user_id, f.subject) <> (:user, :subject)
                    GROUP BY f.user_id, f.subject ORDER BY 3 DESC LIMIT 30) s
            CROSS JOIN LATERAL (SELECT f.bookmark_id, f.user_id FROM feedback f
                                 WHERE f.user_id = s.user_id AND f.organization_id = :organization
                                   AND f.subject = s.subject AND f.kind IN ('relevant', 'saved', 'opened')
                                 LIMIT 100) f) i
     WHERE i.id <> ALL(CAST(:taste AS bigint[]))
     GROUP BY i.id HAVING sum(i.grounds) >= 2
     ORDER BY 2 DESC, 1 DESC LIMIT :most
""").columns(
    column("id", BigInteger), column("score"), column("people", Integer), column("baskets", Integer),
    column("projects", Integer),
)  # fmt: skip
# How alike two projects' texts are before one speaks for the other, and what feedback counts beside attaching.
LIKENESS, OF_SAID = 0.6, 0.7


@dataclass(frozen=True)
class Wish:
    """What to look for: by words, by meaning, by what is being worked on, by others, and among what was forgotten.

    `vectors` are of the subject with its taste, then of what is being worked on.
    """

    content: WordSearch | None
    context: WordSearch | None
    meaning: Vector | None
    at_hand: Sequence[Vector]
    likeness: Vector | None
    taste: Sequence[int]
    with_others: bool
    with_forgotten: bool


@dataclass(frozen=True)
class Candidate:
    """A bookmark that may be recommended, and what is known of it.

    Attributes:
        content: Its BM25 score for the words of subject and taste.
        context: The same for what is being worked on.
        together: How much other projects and people speak for it, and how many people, projects and baskets do.
        vector: Its embedding, of length 1, if it has one.
        said: What the person has said of it for this subject, of the positive kinds.
        seen_at: When the person opened it last, or anybody changed it.
    """

    id: int
    content: float
    context: float
    together: float
    people: int
    projects: int
    vector: Vector | None
    tag_ids: tuple[int, ...]
    said: str | None
    is_read: bool
    is_favorite: bool
    created_at: datetime
    seen_at: datetime


def find_candidates(
    actor: Actor, subject: Subject, wish: Wish, model: str | None, *, by_index: bool, exclude_read: bool
) -> list[Candidate]:
    """All that any way finds, but for what is attached, refused, archived or in the trash. One statement."""
    together = _together(actor, subject, wish, model)
    pool = union_all(*(select(found.subquery().c.id) for found in _ways(actor, wish, model, together, by_index)))
    ids = select(pool.subquery().c.id).distinct().subquery("pool")
    where = [Bookmark.organization_id == actor.organization_id, *_offered(actor, subject)]
    if exclude_read:
        where.append(Bookmark.is_read.is_(False))
    found = _described(actor, subject, wish, model, together).join(ids, ids.c.id == Bookmark.id).where(*where)
    return [_candidate(row) for row in db.session.execute(found)]


def _ways(actor: Actor, wish: Wish, model: str | None, together: Subquery, by_index: bool) -> Iterator[Select[Any]]:
    # Where nothing else is known of what is wanted, the newest are as good as any.
    which = (Bookmark.organization_id == actor.organization_id, Bookmark.deleted_at.is_(None))
    newest = select(Bookmark.id).where(*which).order_by(Bookmark.created_at.desc(), Bookmark.id.desc())
    yield newest.limit(NEWEST)
    if wish.content is not None:
        yield cast("Select[Any]", wish.content.candidates(BY_WORDS))
    if wish.context is not None:
        yield cast("Select[Any]", wish.context.candidates(BY_CONTEXT))
    if model is not None:
        if wish.meaning is not None:
            yield nearest(actor, wish.meaning, model, BY_MEANING, by_index=by_index)
        for vector in wish.at_hand:
            yield nearest(actor, vector, model, BY_CONTEXT, by_index=by_index)
    if wish.with_others:
        yield select(together.c.id)
    if wish.with_forgotten:
        oldest = select(Bookmark.id, Bookmark.is_read).where(*which).order_by(Bookmark.created_at, Bookmark.id)
        seen = oldest.limit(OLDEST_SEEN).subquery()
        yield select(seen.c.id).where(seen.c.is_read.is_(False)).limit(OLDEST)


def _together(actor: Actor, subject: Subject, wish: Wish, model: str | None) -> Subquery:
    values = {
        "taste": list(wish.taste),
        "size": max(1, len(wish.taste)),
        "project": subject.project_id,
        "vector": None if wish.likeness is None else vector_literal(wish.likeness),
        "likeness": LIKENESS,
        "of_said": OF_SAID,
        "organization": actor.organization_id,
        "model": model,
        "user": actor.user_id,
        "subject": subject.key,
        "most": BY_OTHERS if wish.with_others else 0,
    }
    return select(TOGETHER.bindparams(**values).cte("together")).subquery()


def _offered(actor: Actor, subject: Subject) -> Iterator[ColumnElement[bool]]:
    """What may be offered: outside trash and archive, not attached already, not refused for this subject."""
    yield Bookmark.deleted_at.is_(None)
    yield Bookmark.is_archived.is_(False)
    if subject.bookmark_id is not None:
        yield Bookmark.id != subject.bookmark_id
    if subject.project_id is not None:
        attached = select(ProjectBookmark.bookmark_id).where(
            ProjectBookmark.project_id == subject.project_id, ProjectBookmark.bookmark_id == Bookmark.id
        )
        yield ~attached.correlate(Bookmark).exists()
    refused = _said(actor, subject).where(Feedback.kind.in_([*NEGATIVE]))
    yield ~refused.correlate(Bookmark).exists()


def _said(actor: Actor, subject: Subject) -> Select[Any]:
    return select(Feedback.kind).where(
        Feedback.user_id == actor.user_id,
        Feedback.organization_id == actor.organization_id,
        Feedback.subject == subject.key,
        Feedback.bookmark_id == Bookmark.id,
    )


def _described(actor: Actor, subject: Subject, wish: Wish, model: str | None, together: Subquery) -> Select[Any]:
    opened = select(func.max(Feedback.updated_at)).where(
        Feedback.bookmark_id == Bookmark.id, Feedback.user_id == actor.user_id, Feedback.kind == "opened"
    )
    tag_ids = select(func.array_agg(BookmarkTag.tag_id)).where(BookmarkTag.bookmark_id == Bookmark.id)
    said = _said(actor, subject).order_by(Feedback.slot.desc()).limit(1)
    columns = (
        *(_score(wish.content).label("content"), _score(wish.context).label("context")),
        *(together.c.score, together.c.people, together.c.projects),
        func.halfvec_send(BookmarkEmbedding.embedding).label("vector"),
        tag_ids.correlate(Bookmark).scalar_subquery().label("tag_ids"),
        said.correlate(Bookmark).scalar_subquery().label("said"),
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
        vector_of(row.vector),
        tuple(row.tag_ids or ()),
        row.said,
        row.is_read,
        row.is_favorite,
        row.created_at,
        row.seen_at,
    )
