"""A client of the HTTP API, as tests use it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

PASSWORD = "correct horse battery"


class Api:
    """Sends JSON to `/api/v1` with the person's token; paths that start with /api are taken as they are."""

    def __init__(self, app: Flask, *, token: str | None = None, session: dict[str, Any] | None = None) -> None:
        self.app = app
        self.client = app.test_client()
        self.session = session or {}
        self.token = token or self.session.get("access_token")

    @property
    def user_id(self) -> int:
        return int(self.session["user"]["id"])

    @property
    def organization_id(self) -> int:
        return int(self.session["organization_id"])

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = dict(options.pop("headers", None) or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        url = path if path.startswith(("/api", "/metrics", "/linkding", "/save")) else f"/api/v1{path}"
        return self.client.open(url, method=method, headers=headers, **options)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.request("GET", path, query_string=query)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.request("POST", path, json={} if body is None else body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.request("PATCH", path, json=body, **options)

    def put(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.request("PUT", path, json=body, **options)

    def delete(self, path: str, **query: Any) -> TestResponse:
        return self.request("DELETE", path, query_string=query)

    def save(self, url: str, **fields: Any) -> dict[str, Any]:
        """Save a link that must be new, without capture unless asked for; the bookmark."""
        response = self.post("/bookmarks", {"url": url, "capture": False, **fields})
        assert response.status_code == 201, response.get_data(as_text=True)
        saved: dict[str, Any] = response.json
        return saved

    def titles(self, path: str = "/bookmarks", **query: Any) -> list[str]:
        """The titles of a list, in its order."""
        response = self.get(path, **query)
        assert response.status_code == 200, response.get_data(as_text=True)
        return [item["title"] for item in response.json["items"]]


def field_errors(response: TestResponse) -> dict[str, str]:
    """The codes of a 422 by field."""
    assert response.status_code == 422, response.get_data(as_text=True)
    return {error["field"]: error["code"] for error in response.json["errors"]}
