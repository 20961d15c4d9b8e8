"""User profile: a person's interests and active work for one subject, read in one statement.

It holds the items attached to the subject, feedback on earlier recommendations, open tasks and projects, and the learnt
weights of engines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector, SparseVector
from sqlalchemy import ARRAY, JSON, Boolean, Row, Text, column, literal_column, select

from backend.actor import Actor
from backend.extensions import db
from backend.index.impacts import term_id
from backend.index.nearest import index_choice
from backend.named_blocks import read_statements
from backend.recommendations.learning import EngineWeights, engine_weights
from backend.recommendations.subjects import Subject

Vector = NDArray[np.float32]

# Weights of profile items by kind.
POSITIVE = {"itself": 1.0, "attached": 1.0, "relevant": 1.0, "saved": 0.5, "liked": 0.5, "opened": 0.25}
NEGATIVE = {"not_relevant": 1.0, "dismissed": 0.5}
# Latest positive items that stand in for active work.
LATEST = 3

PROFILE = read_statements(__file__)["profile"].columns(
    column("languages", ARRAY(Text)), column("counted", Boolean), column("engines", JSON), column("tags", JSON),
    column("items", JSON), column("work", JSON),
    # NullType: psycopg2 already returns lists.
    column("item_impacts"), column("item_vectors"), column("work_vectors"),
)  # fmt: skip


@dataclass(frozen=True)
class ProfileItem:
    """A bookmark in the profile, positive or negative by its `kind`.

    `impacts` are the impacts of its telling words, `vector` is its embedding of length 1, or None.
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
class ActiveWork:
    """An open task or project, or a recently attached bookmark in its place."""

    noun: str
    id: int
    title: str
    body: str
    status: str
    priority: str
    due_at: datetime | None
    vector: Vector | None


@dataclass(frozen=True)
class UserProfile:
    """The user profile. `is_counted` tells whether corpus statistics are stored, `by_index` whether the index scan for
    nearest neighbours is set up."""

    languages: list[str | None]
    is_counted: bool
    weights: EngineWeights
    items: list[ProfileItem]
    work: list[ActiveWork]
    by_index: bool

    @property
    def positive(self) -> list[ProfileItem]:
        return [item for item in self.items if item.weight > 0]

    @property
    def active_work(self) -> list[ActiveWork]:
        """Open tasks and projects; without any, the latest positive items."""
        return self.work or [
            ActiveWork("bookmark", item.id, item.title, "", "in_progress", "normal", None, item.vector)
            for item in self.positive[:LATEST]
            if item.kind != "itself"
        ]

    @property
    def negative(self) -> list[ProfileItem]:
        return [item for item in self.items if item.weight < 0]


def read_user_profile(actor: Actor, subject: Subject, model: str | None, dimension: int, limit: int) -> UserProfile:
    """Read the user profile for a subject; with a model, set the index scan up for `limit` neighbours. One
    statement."""
    values = {
        "user": actor.user_id,
        "organization": actor.organization_id,
        "subject": subject.key,
        "project": subject.project_id,
        "bookmark": subject.bookmark_id,
        "is_person": subject.key == "person",
        "model": model,
    }
    profile = PROFILE.bindparams(**values).subquery("profile")
    choice = index_choice(actor, model, dimension, (), limit) if model else literal_column("NULL")
    row = db.session.execute(select(profile, choice.label("choice"))).one()
    return UserProfile(
        [None, *(row.languages or [])],
        row.counted,
        engine_weights(row.engines or [], row.tags or []),
        list(_items(row)),
        _work(row),
        row.choice is not None,
    )


def decode_vector(sent: bytes | memoryview | None) -> Vector | None:
    """Decode a binary halfvec."""
    return None if sent is None else HalfVector.from_binary(sent).to_numpy().astype(np.float32)


def _items(row: Row[Any]) -> Iterable[ProfileItem]:
    """Yield each bookmark once, with the kind of the greatest weight."""
    strongest: dict[int, tuple[dict[str, Any], memoryview, memoryview | None]] = {}
    for item, impacts, vector in zip(row.items or [], row.item_impacts or [], row.item_vectors or [], strict=True):
        stronger = strongest.get(item["id"])
        if stronger is None or _strength(item["kind"]) > _strength(stronger[0]["kind"]):
            strongest[item["id"]] = item, impacts, vector
    return (_item(*parts) for parts in strongest.values())


def _strength(kind: str) -> float:
    return POSITIVE.get(kind) or NEGATIVE[kind]


def _item(item: dict[str, Any], impacts: memoryview, vector: memoryview | None) -> ProfileItem:
    by_term = _impacts(impacts)
    words = {lexeme: by_term[term] for lexeme in item["lexemes"] if (term := term_id(lexeme)) in by_term}
    return ProfileItem(item["kind"], item["id"], item["title"], tuple(item["tags"]), words, decode_vector(vector))


def _impacts(sent: memoryview) -> dict[int, float]:
    """Decode a binary sparsevec to impacts by term id, which are its indices from 1."""
    vector = SparseVector.from_binary(sent)
    return {index + 1: impact for index, impact in zip(vector.indices(), vector.values(), strict=True)}


def _work(row: Row[Any]) -> list[ActiveWork]:
    return [
        ActiveWork(
            **{**work, "due_at": work["due_at"] and datetime.fromisoformat(work["due_at"])},
            vector=decode_vector(vector),
        )
        for work, vector in zip(row.work or [], row.work_vectors or [], strict=True)
    ]
