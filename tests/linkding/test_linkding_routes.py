"""What holds for every route under /linkding: tests that walk the URL map, as tests/test_url_map.py for all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from backend.auth.session_cache import invalidate_user
from backend.extensions import db
from backend.http.middleware.security_headers import API_POLICY, HEADERS
from backend.http.operations import Operation, declared_operation
from tests.linkding.client import LinkdingClient
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PUBLIC = {"/linkding/health/"}
FOR_EVERY_TOKEN = {"/linkding/api/user/profile/"}
NEVER = 10**9
BODY = {"url": "https://example.org/secret", "name": "new"}
FORBIDDEN = "You do not have permission to perform this action."


@dataclass(frozen=True)
class LinkdingRoute:
    """One method of one path under /linkding."""

    method: str
    rule: Rule
    declared: Operation

    def path(self, ids: dict[str, int]) -> str:
        """The path with its arguments filled in."""
        found = self.rule.build({name: ids[name] for name in self.rule.arguments})
        assert found is not None
        return found[1]

    @property
    def options(self) -> dict[str, Any]:
        """A body, where one is taken."""
        return {"json": BODY} if 415 in self.declared.responses else {}

    def __str__(self) -> str:
        return f"{self.method} {self.rule.rule}"


def linkding_routes(app: Flask, *, guarded: bool = True) -> Iterator[LinkdingRoute]:
    """Every method of every path whose operation speaks linkding's dialect; those alone that ask for a token."""
    for rule in app.url_map.iter_rules():
        declared = declared_operation(app, rule.endpoint)
        if declared is not None and declared.dialect is not None and (declared.scope is not None or not guarded):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield LinkdingRoute(method, rule, declared)


@pytest.fixture
def ids(client: LinkdingClient) -> dict[str, int]:
    """Ids of real objects of ada's."""
    bookmark = client.save("https://example.org/secret", tag_names=["secret"])
    [tag] = client.get("/tags/").json["results"]
    bundle = client.post("/bundles/", {"name": "secret"}).json
    return {"bookmark_id": bookmark["id"], "tag_id": tag["id"], "bundle_id": bundle["id"]}


def never(route: LinkdingRoute) -> dict[str, int]:
    return dict.fromkeys(route.rule.arguments, NEVER)


def assert_guarded(response: TestResponse) -> None:
    for name, value in {**HEADERS, "Content-Security-Policy": API_POLICY}.items():
        assert response.headers.get_all(name) == [value]
    assert response.headers["X-Request-ID"]


def test_all_paths_lie_below_the_prefix_and_all_but_the_health_ask_for_a_token(app: Flask) -> None:
    found = list(linkding_routes(app, guarded=False))
    assert found
    assert all(route.rule.rule.startswith("/linkding/") for route in found)
    assert {route.rule.rule for route in found if route.declared.scope is None} == PUBLIC
    assert {route.rule.rule for route in found if route.declared.scope == "any"} == FOR_EVERY_TOKEN


def test_every_path_is_taken_with_and_without_a_slash_and_nothing_is_redirected(app: Flask) -> None:
    for route in linkding_routes(app, guarded=False):
        assert route.rule.rule.endswith("/"), str(route)
        assert route.rule.strict_slashes is False, str(route)


@pytest.mark.parametrize("slash", [True, False])
def test_without_a_token_every_route_is_401_before_anything_else(anonymous: Api, slash: bool) -> None:
    for route in linkding_routes(anonymous.app):
        for sent in ({}, {"json": {"surprise": 1}}, {"data": b"{", "content_type": "application/json"}):
            path = route.path(never(route)) if slash else route.path(never(route)).rstrip("/")
            response = anonymous.request(route.method, path, **sent)
            assert response.status_code == 401, str(route)
            assert response.json == {"detail": "Authentication credentials were not provided."}
            assert response.headers["WWW-Authenticate"] == "Token"
            assert_guarded(response)


def test_a_token_without_the_scope_is_403_everywhere(ada: Api, ids: dict[str, int]) -> None:
    clients = {
        "read": LinkdingClient(ada, "bookmarks:write", "tasks:read"),
        "write": LinkdingClient(ada, "bookmarks:read", "tasks:write"),
    }
    for route in linkding_routes(ada.app):
        if route.declared.scope != "any":
            verb = str(route.declared.scope).partition(":")[2]
            assert verb == ("read" if route.method == "GET" else "write"), str(route)
            response = clients[verb].request(route.method, route.path(ids), **route.options)
            assert (response.status_code, response.json) == (403, {"detail": FORBIDDEN}), str(route)
            assert_guarded(response)


def test_a_viewer_changes_nothing(client: LinkdingClient, ada: Api, ids: dict[str, int], context: Flask) -> None:
    db.session.execute(text("UPDATE memberships SET role = 'viewer'"))
    db.session.commit()
    invalidate_user(ada.user_id)
    for route in linkding_routes(ada.app):
        status = client.request(route.method, route.path(ids), **route.options).status_code
        assert status == (200 if route.method == "GET" else 403), str(route)


def test_what_belongs_to_others_looks_as_if_it_never_was(bob: Api, ids: dict[str, int]) -> None:
    other = LinkdingClient(bob)
    for route in linkding_routes(bob.app):
        if route.rule.arguments:
            foreign = other.request(route.method, route.path(ids), **route.options)
            missing = other.request(route.method, route.path(never(route)), **route.options)
            assert foreign.status_code == missing.status_code == 404, str(route)
            assert foreign.json == missing.json


def test_nul_is_refused_in_every_text(client: LinkdingClient, ids: dict[str, int]) -> None:
    for route in linkding_routes(client.app):
        if route.options:
            sent = {**BODY, "url": "https://example.org/\x00", "name": "a\x00"}
            response = client.request(route.method, route.path(ids), json=sent)
            assert response.status_code == 400, str(route)
        response = client.request(route.method, route.path(ids), query_string={"q": "\x00"}, **route.options)
        assert response.status_code == 400, str(route)


def test_every_success_is_what_the_document_says_and_guarded(client: LinkdingClient, ids: dict[str, int]) -> None:
    for route in sorted(linkding_routes(client.app, guarded=False), key=lambda route: route.method == "DELETE"):
        response = client.request(route.method, route.path(ids), **route.options)
        assert response.status_code in route.declared.responses, str(route)
        assert response.status_code < 300, f"{route}: {response.get_data(as_text=True)}"
        assert_guarded(response)
