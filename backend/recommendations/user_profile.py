"""What is known of a person's taste and work, for one subject: read in one statement.

What is attached to the subject, what the person has said of earlier recommendations for it, the tasks and projects that
are being worked on, and what recommendations have been worth so far.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ARRAY, JSON, Boolean, Text, column, literal_column, select, text

from backend.actor import Actor
from backend.extensions import db
from backend.index.impacts import term_id
from backend.index.nearest import index_choice
from backend.recommendations.learning import Opinions, opinions_of
from backend.recommendations.subjects import Subject

Vector = NDArray[np.float32]

# What something says of what is wanted: attached and called relevant most, opened least.
POSITIVE = {"itself": 1.0, "attached": 1.0, "relevant": 1.0, "saved": 0.5, "liked": 0.5, "opened": 0.25}
NEGATIVE = {"not_relevant": 1.0, "dismissed": 0.5}
# So many of the bookmarks attached last say what is being worked on where no task does.
LATEST = 3

FOUND = text("""
    WITH said AS MATERIALIZED (
        SELECT f.bookmark_id, f.kind, f.updated_at FROM feedback f
         WHERE f.user_id = :user AND f.organization_id = :organization AND f.subject = :subject
         ORDER BY f.updated_at DESC LIMIT 80),
    latest AS MATERIALIZED (
        SELECT f.user_id = :user AS own, f.kind, f.shares, f.bookmark_id FROM feedback f
         WHERE f.organization_id = :organization ORDER BY f.updated_at DESC, f.id DESC LIMIT 300),
    taste(kind, id, at) AS (
        SELECT 'itself', CAST(:bookmark AS bigint), now() WHERE CAST(:bookmark AS bigint) IS NOT NULL
        UNION ALL
        (SELECT 'attached', pb.bookmark_id, pb.attached_at FROM project_bookmarks pb
          WHERE pb.project_id = :project ORDER BY pb.attached_at DESC LIMIT 30)
        UNION ALL
        SELECT kind, bookmark_id, updated_at FROM said
        UNION ALL
        (SELECT 'attached', pb.bookmark_id, pb.attached_at
           FROM (SELECT p.id FROM projects p
                  WHERE :is_person AND p.organization_id = :organization AND p.deleted_at IS NULL
                    AND p.status = 'active' AND p.user_id = :user ORDER BY p.updated_at DESC LIMIT 5) p
          CROSS JOIN LATERAL (SELECT * FROM project_bookmarks pb
                               WHERE pb.project_id = p.id ORDER BY pb.attached_at DESC LIMIT 10) pb
          ORDER BY pb.attached_at DESC LIMIT 20)
        UNION ALL
        (SELECT 'liked', b.id, b.updated_at
           FROM (SELECT b.id, b.updated_at, b.is_read OR b.is_favorite AS liked FROM bookmarks b
                  WHERE :is_person AND b.organization_id = :organization AND b.deleted_at IS NULL
                  ORDER BY b.updated_at DESC, b.id DESC LIMIT 200) b
          WHERE b.liked ORDER BY b.updated_at DESC LIMIT 20)),
    tasks_at_hand AS (
        SELECT t.* FROM (
               (SELECT t.* FROM tasks t WHERE t.project_id = :project AND t.organization_id = :organization
                   AND t.deleted_at IS NULL ORDER BY t.position, t.id LIMIT 300)
               UNION ALL
               (SELECT t.* FROM tasks t WHERE CAST(:project AS bigint) IS NULL AND t.organization_id = :organization
                   AND t.deleted_at IS NULL AND t.user_id = :user ORDER BY t.updated_at DESC, t.id DESC LIMIT 300)) t
         WHERE t.status <> 'done'
         ORDER BY t.status = 'in_progress' DESC, t.due_key, t.priority_rank DESC, t.updated_at DESC LIMIT 6),
    projects_at_hand AS (
        SELECT p.* FROM projects p
         WHERE :is_person AND p.organization_id = :organization AND p.deleted_at IS NULL AND p.status = 'active'
           AND p.user_id = :user ORDER BY p.updated_at DESC LIMIT 3)
    SELECT (SELECT array_agg(l.language ORDER BY l.language) FROM search_languages l
             WHERE l.organization_id = :organization) AS languages,
           EXISTS (SELECT 1 FROM search_statistics s
                    WHERE s.organization_id = :organization AND s.terms > 0) AS counted,
           (SELECT json_agg(json_build_array(own, kind, engine, share)) FROM (
                   SELECT l.own, l.kind, s.key AS engine, sum(CAST(s.value AS float8)) AS share
                     FROM latest l CROSS JOIN LATERAL jsonb_each_text(l.shares) s GROUP BY 1, 2, 3) e) AS engines,
           (SELECT json_agg(json_build_array(own, kind, tag_id, number)) FROM (
                   SELECT l.own, l.kind, bt.tag_id, count(*) AS number
                     FROM latest l JOIN bookmark_tags bt ON bt.bookmark_id = l.bookmark_id
                    GROUP BY 1, 2, 3) t) AS tags,
           (SELECT json_agg(json_build_object(
                   'kind', t.kind, 'id', t.id, 'at', t.at, 'title', b.title,
                   'tags', ARRAY(SELECT g.name FROM bookmark_tags bt JOIN tags g ON g.id = bt.tag_id
                                  WHERE bt.bookmark_id = t.id ORDER BY bt.position),
                   'lexemes', tsvector_to_array(ts_filter(d.document, '{a,b}')),
                   'impacts', encode(sparsevec_send(d.impacts), 'base64'),
                   'vector', encode(halfvec_send(e.embedding), 'base64')) ORDER BY t.at DESC)
              FROM taste t
              JOIN bookmarks b ON b.id = t.id AND b.deleted_at IS NULL
              JOIN bookmark_documents d ON d.bookmark_id = t.id
              LEFT JOIN bookmark_embeddings e ON e.bookmark_id = t.id AND e.model = :model) AS taste,
           (SELECT json_agg(w) FROM (
                   SELECT 'task' AS noun, t.id, t.title, left(t.description, 500) AS body, t.status, t.priority,
                          t.due_at, encode(halfvec_send(e.embedding), 'base64') AS vector
                     FROM tasks_at_hand t
                     LEFT JOIN subject_embeddings e ON e.task_id = t.id AND e.model = :model
                   UNION ALL
                   SELECT 'project', p.id, p.name, concat_ws(E'\\n', left(p.description, 500),
                          array_to_string(p.technologies, ', ')), 'in_progress', 'normal', NULL,
                          encode(halfvec_send(e.embedding), 'base64')
                     FROM projects_at_hand p
                     LEFT JOIN subject_embeddings e ON e.project_id = p.id AND e.model = :model) w) AS work
""").columns(
    column("languages", ARRAY(Text)), column("counted", Boolean), column("engines", JSON), column("tags", JSON),
    column("taste", JSON), column("work", JSON),
)  # fmt: skip


@dataclass(frozen=True)
class Taste:
    """A bookmark that says something of what is wanted: by `kind`, of `POSITIVE` or `NEGATIVE`.

    `impacts` holds its telling words with their impacts, `vector` is its embedding, of length 1, if there is one.
    """

    kind: str
    id: int
    title: str
    tags: tuple[str, ...]
    impacts: dict[str, float]
    vector: Vector | None

    @property
    def weight(self) -> float:
        return POSITIVE.get(self.kind) or -NEGATIVE[self.kind]


@dataclass(frozen=True)
class Work:
    """A task or project that is being worked on, or a bookmark that was attached lately."""

    noun: str
    id: int
    title: str
    body: str
    status: str
    priority: str
    due_at: datetime | None
    vector: Vector | None


@dataclass(frozen=True)
class Evidence:
    """All that is known. `is_counted` is whether the worker has counted the organization's words, `by_index` whether
    the index of neighbours is set up."""

    languages: list[str | None]
    is_counted: bool
    opinions: Opinions
    taste: list[Taste]
    work: list[Work]
    by_index: bool

    @property
    def wanted(self) -> list[Taste]:
        return [one for one in self.taste if one.weight > 0]

    @property
    def at_hand(self) -> list[Work]:
        """What is being worked on; where nothing is open, what was attached or liked last."""
        return self.work or [
            Work("bookmark", one.id, one.title, "", "in_progress", "normal", None, one.vector)
            for one in self.wanted[:LATEST]
            if one.kind != "itself"
        ]

    @property
    def unwanted(self) -> list[Taste]:
        return [one for one in self.taste if one.weight < 0]


def read_evidence(actor: Actor, subject: Subject, model: str | None, dimension: int, limit: int) -> Evidence:
    """What is known for a subject; with a model, its index of neighbours is set up for `limit`. One statement."""
    values = {
        "user": actor.user_id,
        "organization": actor.organization_id,
        "subject": subject.key,
        "project": subject.project_id,
        "bookmark": subject.bookmark_id,
        "is_person": subject.key == "person",
        "model": model,
    }
    found = FOUND.bindparams(**values).subquery("found")
    choice = index_choice(actor, model, dimension, (), limit) if model else literal_column("NULL")
    row = db.session.execute(select(found, choice.label("choice"))).one()
    return Evidence(
        [None, *(row.languages or [])],
        row.counted,
        opinions_of(row.engines or [], row.tags or []),
        list(_distinct(row.taste or [])),
        [_work(one) for one in row.work or []],
        row.choice is not None,
    )


def vector_of(sent: bytes | None) -> Vector | None:
    """The vector that PostgreSQL has sent as a binary halfvec: two shorts of head, then 16-bit floats."""
    return None if sent is None else np.frombuffer(sent, ">f2", offset=4).astype(np.float32)


def _distinct(rows: Iterable[dict[str, Any]]) -> Iterable[Taste]:
    """Each bookmark once: by what says most of it."""
    by_id: dict[int, dict[str, Any]] = {}
    for row in rows:
        known = by_id.get(row["id"])
        if known is None or _strength(row["kind"]) > _strength(known["kind"]):
            by_id[row["id"]] = row
    return (_taste(row) for row in by_id.values())


def _strength(kind: str) -> float:
    return POSITIVE.get(kind) or NEGATIVE[kind]


def _taste(row: dict[str, Any]) -> Taste:
    impacts = _impacts(base64.b64decode(row["impacts"]))
    words = {lexeme: impacts[term] for lexeme in row["lexemes"] if (term := term_id(lexeme)) in impacts}
    return Taste(row["kind"], row["id"], row["title"], tuple(row["tags"]), words, _decoded(row["vector"]))


def _impacts(sent: bytes) -> dict[int, float]:
    """A binary sparsevec: dimensions, entries, unused; then the entries' places from 0, then their values."""
    size = (len(sent) - 12) // 8
    places = np.frombuffer(sent, ">i4", size, 12).astype(np.int64) + 1
    return dict(zip(places.tolist(), np.frombuffer(sent, ">f4", size, 12 + 4 * size).tolist(), strict=True))


def _work(row: dict[str, Any]) -> Work:
    due_at = datetime.fromisoformat(row["due_at"]) if row["due_at"] else None
    shown = {name: row[name] for name in ("noun", "id", "title", "body", "status", "priority")}
    return Work(**shown, due_at=due_at, vector=_decoded(row["vector"]))


def _decoded(vector: str | None) -> Vector | None:
    return vector_of(base64.b64decode(vector)) if vector else None
