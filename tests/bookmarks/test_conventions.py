"""API.md, Conventions: refusals as problem+json, in the right order, for bookmarks, tags, search and jobs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
UUID = "00000000-0000-4000-8000-000000000000"
GETS = [
    "/bookmarks",
    "/bookmarks/lookup?url=https://example.org/",
    "/bookmarks/1",
    "/bookmarks/1/content",
    "/bookmarks/1/similar",
    "/tags",
    "/jobs",
    f"/jobs/{UUID}",
    "/search?q=x",
]
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/bookmarks", {"url": "https://example.org/"}),
    ("POST", "/bookmarks/bulk", {"items": []}),
    ("POST", "/bookmarks/actions", {"action": "read", "ids": [1]}),
    ("PATCH", "/bookmarks/1", {"title": "x"}),
    ("PATCH", "/tags/1", {"name": "x"}),
    ("POST", "/tags/1/merge", {"into_id": 2}),
]
BODILESS = [
    ("POST", "/bookmarks/1/restore"),
    ("POST", "/bookmarks/1/capture"),
    ("DELETE", "/bookmarks/1"),
    ("DELETE", "/tags/1"),
    ("DELETE", f"/jobs/{UUID}"),
]


def assert_problem(answer: Any, status: int) -> None:
    """RFC 9457, with the id of the request."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    body = answer.json
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= set(body)
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert answer.request.path == body["instance"]
    assert all(isinstance(body[name], str) and body[name] for name in ("type", "title", "detail"))
    assert ("errors" in body) == (status == 422)
    for error in body.get("errors", []):
        assert set(error) == {"field", "message", "code"}


def test_without_a_token_everything_is_401_first(anonymous: Api) -> None:
    """R-AUTH 1: before 404, 422, 415 and any work."""
    for path in GETS:
        assert_problem(anonymous.request("GET", path), 401)
        assert_problem(anonymous.request("GET", f"{path}{'&' if '?' in path else '?'}other=1"), 401)
    for method, path, body in BODIES:
        assert_problem(anonymous.request(method, path, json=body), 401)
        assert_problem(anonymous.request(method, path, json={"other": 1}), 401)
        assert_problem(anonymous.request(method, path, data="x"), 401)
    for method, path in BODILESS:
        answer = anonymous.request(method, path)
        assert_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_unknown_query_parameters_are_422_everywhere(ada: Api) -> None:
    routes = [("GET", path, None) for path in GETS] + BODIES + [(method, path, None) for method, path in BODILESS]
    for method, path, body in routes:
        answer = ada.request(method, path + ("&" if "?" in path else "?") + "other=1", json=body)
        assert_problem(answer, 422)
        assert "query.other" in field_errors(answer), path


def test_unknown_body_fields_are_422_everywhere(ada: Api) -> None:
    for method, path, body in BODIES:
        answer = ada.request(method, path, json={**body, "other": 1})
        assert_problem(answer, 422)
        assert set(field_errors(answer)) == {"body.other"}


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b'{"a": 1}}', b"\xff", b'{"a": "\xff"}', b'"\\ud800"'])
def test_malformed_json_is_400_everywhere(ada: Api, body: bytes) -> None:
    for method, path, _ in BODIES:
        assert_problem(ada.request(method, path, data=body, content_type="application/json"), 400)


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"'])
def test_a_body_that_is_no_object_is_422_everywhere(ada: Api, body: bytes) -> None:
    for method, path, _ in BODIES:
        assert_problem(ada.request(method, path, data=body, content_type="application/json"), 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_another_media_type_is_415_everywhere(ada: Api, kind: str) -> None:
    for method, path, _ in BODIES:
        assert_problem(ada.request(method, path, data=b"{}", content_type=kind), 415)


def test_a_body_over_a_mebibyte_is_413_everywhere_and_over_sixteen_in_bulk(ada: Api) -> None:
    """R-HTTP 3."""
    for method, path, _ in BODIES:
        body = b'{"url": "' + b"x" * 1024 * 1024 * (16 if path.endswith("/bulk") else 1) + b'"}'
        assert_problem(ada.request(method, path, data=body, content_type="application/json"), 413)


def test_a_body_that_nests_too_deep_is_422(ada: Api) -> None:
    """R-HTTP 3."""
    body = b'{"items": [' + b"[" * 40 + b"]" * 40 + b"]}"
    answer = ada.request("POST", "/bookmarks/bulk", data=body, content_type="application/json")
    assert field_errors(answer) == {"body": "too_deep"}


def test_what_is_not_there_is_404(ada: Api) -> None:
    for path in (
        "/bookmarks/1",
        "/bookmarks/1/content",
        "/bookmarks/1/similar",
        f"/jobs/{UUID}",
        "/jobs/1",
        "/nothing",
    ):
        assert_problem(ada.get(path), 404)
    for method, path in BODILESS:
        assert_problem(ada.request(method, path), 404)


def test_a_method_that_a_route_does_not_take_is_405(ada: Api) -> None:
    for method, path in (("PUT", "/bookmarks"), ("POST", "/bookmarks/1"), ("GET", "/tags/1"), ("POST", "/search")):
        answer = ada.request(method, path)
        assert_problem(answer, 405)
        assert answer.headers["Allow"]


def test_no_answer_shows_how_it_is_made(ada: Api) -> None:
    answers = [
        ada.get("/bookmarks", sort="x' --", page="x", cursor="%%%", created_after="x", is_archived="x"),
        ada.post("/bookmarks", {"url": "x", "title": 1, "tags": [1], "created_at": "x", "project_ids": [0]}),
        ada.patch("/bookmarks/1", {"url": "x", "title": 1, "tags": [1], "is_read": 1, "project_ids": [0]}),
        ada.post("/bookmarks/actions", {"action": 1, "ids": [0], "filter": {"q": 1, "is_archived": 5}, "tags": [1]}),
        ada.get("/search", q=["a", "b"], mode="x"),
        ada.get("/tags", q="x" * 200, sort="x"),
    ]
    for answer in answers:
        assert_problem(answer, 422)
        words = answer.get_data(as_text=True)
        for secret in ("Traceback", "SELECT", "psycopg", "0x", "function-", "lambda", "constrained", "pydantic", ".py"):
            assert secret not in words
