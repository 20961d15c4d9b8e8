"""Projects for tests: made and filled through the API."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api


def begin(api: Api, name: str = "Project", **fields: Any) -> dict[str, Any]:
    """A new project."""
    response = api.post("/projects", {"name": name, **fields})
    assert response.status_code == 201, response.get_data(as_text=True)
    project: dict[str, Any] = response.json
    return project


def read(api: Api, project: dict[str, Any]) -> dict[str, Any]:
    """The project as it is now."""
    response = api.get(f"/projects/{project['id']}")
    assert response.status_code == 200, response.get_data(as_text=True)
    now: dict[str, Any] = response.json
    return now


def names(api: Api, **query: Any) -> list[str]:
    """The names of a list of projects, in its order."""
    response = api.get("/projects", **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    return [item["name"] for item in response.json["items"]]


def attached(api: Api, project: dict[str, Any], **query: Any) -> list[int]:
    """The ids of the bookmarks that are attached to a project, in the order of the list."""
    response = api.get(f"/projects/{project['id']}/bookmarks", **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    return [item["id"] for item in response.json["items"]]


def projects_of(api: Api, bookmark: dict[str, Any]) -> list[int]:
    """The ids of the projects that a bookmark is attached to."""
    response = api.get(f"/bookmarks/{bookmark['id']}")
    assert response.status_code == 200, response.get_data(as_text=True)
    ids: list[int] = response.json["project_ids"]
    return ids
