"""A client of the linkding-compatible API, as tests use it."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.api import Api

READ_AND_WRITE = ("bookmarks:read", "bookmarks:write")


def token_of(person: Api, *scopes: str) -> str:
    """A new API token of a person."""
    made = person.post("/auth/tokens", {"name": "linkding client", "scopes": scopes or READ_AND_WRITE})
    return str(made.json["token"])


class LinkdingClient:
    """Sends requests to /linkding/api as a client of linkding does, with `Authorization: Token …`."""

    def __init__(self, person: Api, *scopes: str) -> None:
        self.person = person
        self.app = person.app
        self.client = person.app.test_client()
        self.headers = {"Authorization": f"Token {token_of(person, *scopes)}"}

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        url = path if path.startswith("/linkding") else f"/linkding/api{path}"
        return self.client.open(url, method=method, headers=headers, **options)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.request("GET", path, query_string=query)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.request("POST", path, **({} if body is None else {"json": body}), **options)

    def put(self, path: str, body: Any) -> TestResponse:
        return self.request("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.request("PATCH", path, json=body)

    def delete(self, path: str) -> TestResponse:
        return self.request("DELETE", path)

    def save(self, url: str, **fields: Any) -> dict[str, Any]:
        """Save a link without having its page read; the bookmark."""
        response = self.post("/bookmarks/?disable_scraping", {"url": url, **fields})
        assert response.status_code == 201, response.get_data(as_text=True)
        saved: dict[str, Any] = response.json
        return saved

    def titles(self, path: str = "/bookmarks/", **query: Any) -> list[str]:
        """The titles of a list, in its order."""
        response = self.get(path, **query)
        assert response.status_code == 200, response.get_data(as_text=True)
        return [item["title"] for item in response.json["results"]]
