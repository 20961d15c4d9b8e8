"""Recommendations for tests: asked for through the API, with vectors and times put right into the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import text

from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate_everything
from tests.support.api import Api
from tests.support.pages import add_vector


class Directions:
    """Embeddings of four dimensions: of a text, how often it names north, east, up and in."""

    model, dimension = "directions", 4
    names = ("north", "east", "up", "in")

    def embed(self, texts: Sequence[str]) -> Any:
        """Unit vectors; a text without directions points nowhere in particular."""
        return np.array([vector(one) for one in texts], dtype=np.float32)


def vector(words: str) -> list[float]:
    """The vector of a text."""
    counts = np.array([words.split().count(name) for name in Directions.names], dtype=np.float64)
    counts = counts if counts.any() else np.full(4, 0.5)
    found: list[float] = (counts / np.linalg.norm(counts)).tolist()
    return found


def offers(api: Api, **query: Any) -> dict[str, Any]:
    """The whole answer."""
    response = api.get("/recommendations", **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    found: dict[str, Any] = response.json
    return found


def titles(answer: dict[str, Any]) -> list[str]:
    return [item["bookmark"]["title"] for item in answer["items"]]


def item_of(answer: dict[str, Any], title: str) -> dict[str, Any]:
    """The one item of this title."""
    [found] = [item for item in answer["items"] if item["bookmark"]["title"] == title]
    item: dict[str, Any] = found
    return item


def save(api: Api, title: str, *, direction: str = "", **fields: Any) -> int:
    """Save a bookmark; with a direction, it has that vector already."""
    place = "".join(one if one.isalnum() else "-" for one in title)
    saved = api.save(f"https://{place.lower()}.example.org/", title=title, **fields)
    if direction:
        add_vector(saved["id"], vector(direction), model=Directions.model)
    return int(saved["id"])


def say(api: Api, item: dict[str, Any], kind: str, **fields: Any) -> dict[str, Any]:
    """Feedback on a recommendation."""
    body = {"bookmark_id": item["bookmark"]["id"], "recommendation_id": item["recommendation_id"], "kind": kind}
    response = api.post("/feedback", {**body, **fields})
    assert response.status_code in (200, 201), response.get_data(as_text=True)
    said: dict[str, Any] = response.json
    return said


def attach(api: Api, project_id: int, *bookmark_ids: int) -> None:
    for id_ in bookmark_ids:
        response = api.put(f"/projects/{project_id}/bookmarks/{id_}", {})
        assert response.status_code == 201, response.get_data(as_text=True)


def age(days: int, *bookmark_ids: int) -> None:
    """Let bookmarks be so old, and untouched since."""
    db.session.execute(
        text("""
            UPDATE bookmarks SET created_at = now() - make_interval(days => :days),
                   updated_at = now() - make_interval(days => :days) WHERE id = ANY(:ids)
        """),
        {"days": days, "ids": list(bookmark_ids)},
    )
    db.session.commit()
    invalidate_everything()
