"""Tasks for tests, made through the API, and the order they stand in."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api


def add(api: Api, title: str, **fields: Any) -> dict[str, Any]:
    """A new task."""
    response = api.post("/tasks", {"title": title, **fields})
    assert response.status_code == 201, response.get_data(as_text=True)
    made: dict[str, Any] = response.json
    return made


def add_many(api: Api, *titles: str, **fields: Any) -> list[int]:
    """New tasks in this order; their ids."""
    response = api.post("/tasks/bulk", {"items": [{"title": title, **fields} for title in titles]})
    assert response.status_code == 200, response.get_data(as_text=True)
    assert response.json["invalid"] == 0, response.json
    return [result["id"] for result in response.json["results"]]


def make_project(api: Api, name: str = "Project") -> int:
    response = api.post("/projects", {"name": name})
    assert response.status_code == 201, response.get_data(as_text=True)
    return int(response.json["id"])


def chain(api: Api, length: int, **fields: Any) -> list[int]:
    """A task, a step of it, a step of that, …; their ids from the top."""
    ids: list[int] = []
    for depth in range(length):
        parent = {"parent_id": ids[-1]} if ids else fields
        ids.append(add(api, f"level {depth + 1}", **parent)["id"])
    return ids


def order(api: Api, **query: Any) -> list[str]:
    """The titles of a list of siblings by their places: the top level outside projects, unless said otherwise."""
    which = query or {"project_id": "none", "parent_id": "none"}
    return api.titles("/tasks", page_size=100, sort="position", **which)
