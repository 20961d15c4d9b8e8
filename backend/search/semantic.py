"""Semantic search: embeds the query and finds its nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from backend.actor import Actor
from backend.ai.service import embed_query
from backend.index.nearest import Ranked, Vector, lacks_vectors, rank_by_similarity, similarities


@dataclass(frozen=True)
class SemanticMatches:
    """Ids with their cosine similarity, best first, to `vector` under `model`; `complete` unless too many bookmarks
    have no vector yet."""

    ranked: Ranked
    complete: bool
    vector: Vector
    model: str


def search_by_meaning(
    actor: Actor, text: str, where: Sequence[ColumnElement[bool]], limit: int, among: Sequence[int] | None = None
) -> SemanticMatches:
    """Find the bookmarks nearest to a text under the model of the settings: three statements, or four.

    With `among`, all ids that fulfil the conditions, those are compared exactly.

    Raises:
        EmbeddingsUnavailable: the text cannot be embedded now.
    """
    vector, model = embed_query(text)
    if among is None:
        ranked = rank_by_similarity(actor, vector, model, where, limit)
    else:
        scores = similarities(actor, vector, model, among)
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], -pair[0]))[:limit]
    return SemanticMatches(ranked, not lacks_vectors(actor, model, len(vector)), vector, model)
