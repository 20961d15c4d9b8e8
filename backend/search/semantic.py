"""Searching by meaning: what a person asks becomes a vector, and its neighbours are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from backend.actor import Actor
from backend.ai.service import embed_query
from backend.index.nearest import Ranked, Vector, lacks_vectors, rank_by_similarity, similarities


@dataclass(frozen=True)
class ByMeaning:
    """Ids with their cosine similarity, best first, to `vector` under `model`; `complete` unless too many bookmarks
    wait for a vector."""

    ranked: Ranked
    complete: bool
    vector: Vector
    model: str


def search_by_meaning(
    actor: Actor, wanted: str, where: Sequence[ColumnElement[bool]], limit: int, among: Sequence[int] | None = None
) -> ByMeaning:
    """The bookmarks nearest to a text under the model that the settings name: three statements, or four.

    `among` are all that fulfil the conditions, where these are known: then they are compared one by one.

    Raises:
        EmbeddingsUnavailable: the text has no vector now.
    """
    vector, model = embed_query(wanted)
    if among is None:
        ranked = rank_by_similarity(actor, vector, model, where, limit)
    else:
        found = similarities(actor, vector, model, among)
        ranked = sorted(found.items(), key=lambda pair: (-pair[1], -pair[0]))[:limit]
    return ByMeaning(ranked, not lacks_vectors(actor, model, len(vector)), vector, model)
