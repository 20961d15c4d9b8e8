"""What is refused under /linkding, in the words of Django REST framework."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.http.middleware.security_headers import API_POLICY, HEADERS
from backend.http.rate_limits.charge import RateLimits
from config import RATE_LIMIT_CLASSES
from tests.linkding.client import LinkdingClient
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
NOT_PROVIDED = "Authentication credentials were not provided."
INVALID = "Invalid token."


def told(response: TestResponse) -> tuple[int, Any]:
    """The status and the body, which is JSON and nothing else."""
    assert response.content_type == "application/json"
    return response.status_code, response.json


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        (None, NOT_PROVIDED),
        ("", NOT_PROVIDED),
        ("Basic YTpi", NOT_PROVIDED),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("Token nonsense", INVALID),
        ("token nonsense", INVALID),
        ("Bearer nonsense", INVALID),
        ("Token fz_" + "x" * 36, INVALID),
    ],
)
def test_without_a_good_token_it_is_401(anonymous: Api, authorization: str | None, detail: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("bookmarks/", "bookmarks", "bookmarks/1/", "bookmarks/0", "tags/", "bundles/", "user/profile/"):
        response = anonymous.request("GET", f"/linkding/api/{path}", headers=headers)
        assert told(response) == (401, {"detail": detail}), path
        assert response.headers["WWW-Authenticate"] == "Token"


def test_both_schemes_are_good_there_and_only_bearer_elsewhere(client: LinkdingClient, ada: Api) -> None:
    token = client.headers["Authorization"].partition(" ")[2]
    for scheme, status in (("Token", 401), ("Bearer", 200)):
        headers = {"Authorization": f"{scheme} {token}"}
        assert client.request("GET", "/bookmarks/", headers=headers).status_code == 200
        assert ada.request("GET", "/bookmarks", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("tasks:read", "GET", "/bookmarks/"),
        ("bookmarks:read", "POST", "/bookmarks/"),
        ("bookmarks:write", "GET", "/bookmarks/"),
        ("bookmarks:read", "DELETE", "/bookmarks/1/"),
        ("bookmarks:read", "POST", "/tags/"),
        ("bookmarks:read", "POST", "/bundles/"),
    ],
)
def test_a_token_without_the_scope_is_403(ada: Api, scope: str, method: str, path: str) -> None:
    response = LinkdingClient(ada, scope).request(method, path, **({"json": {}} if method == "POST" else {}))
    assert told(response) == (403, {"detail": "You do not have permission to perform this action."})


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/bookmarks/999999/", "No Bookmark matches the given query."),
        ("/bookmarks/999999", "No Bookmark matches the given query."),
        ("/bookmarks/0/", "No Bookmark matches the given query."),
        ("/bookmarks/99999999999999999999999/", "No Bookmark matches the given query."),
        ("/tags/999999/", "No Tag matches the given query."),
        ("/bundles/999999/", "No BookmarkBundle matches the given query."),
        ("/bookmarks/abc/", "Not found."),
        ("/nothing/", "Not found."),
    ],
)
def test_what_is_not_there_is_404(client: LinkdingClient, path: str, detail: str) -> None:
    assert told(client.get(path)) == (404, {"detail": detail})


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, {"url": ["This field is required."]}),
        ({"title": "T"}, {"url": ["This field is required."]}),
        ({"url": None}, {"url": ["This field may not be null."]}),
        ({"url": ""}, {"url": ["This field may not be blank."]}),
        ({"url": "no link"}, {"url": ["Enter a valid URL."]}),
        ({"url": "javascript:alert(1)"}, {"url": ["Enter a valid URL."]}),
        ({"url": []}, {"url": ["Not a valid string."]}),
        ({"url": "https://a.example", "title": None}, {"title": ["This field may not be null."]}),
        ({"url": "https://a.example", "title": {}}, {"title": ["Not a valid string."]}),
        (
            {"url": "https://a.example", "title": "t" * 2_001},
            {"title": ["Ensure this field has no more than 2000 characters."]},
        ),
        ({"url": "https://a.example", "unread": "maybe"}, {"unread": ["Must be a valid boolean."]}),
        ({"url": "https://a.example", "unread": []}, {"unread": ["Must be a valid boolean."]}),
        (
            {"url": "https://a.example", "tag_names": "a b"},
            {"tag_names": ['Expected a list of items but got type "str".']},
        ),
        (
            {"url": "https://a.example", "tag_names": ["a", "", None]},
            {"tag_names": {"1": ["This field may not be blank."], "2": ["This field may not be null."]}},
        ),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
    ids=lambda part: str(part)[:60],
)
def test_a_body_at_fault_is_400_and_names_the_fields(client: LinkdingClient, body: Any, refusal: Any) -> None:
    assert told(client.post("/bookmarks/", body)) == (400, refusal)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{", "JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("", "JSON parse error - Expecting value: line 1 column 1 (char 0)"),
        ('{"url": }', "JSON parse error - Expecting value: line 1 column 9 (char 8)"),
    ],
)
def test_malformed_json_is_400(client: LinkdingClient, body: str, detail: str) -> None:
    response = client.request("POST", "/bookmarks/", data=body, content_type="application/json")
    assert told(response) == (400, {"detail": detail})


def test_other_methods_and_media_types_are_refused(client: LinkdingClient) -> None:
    response = client.request("PUT", "/bookmarks/", json={})
    assert told(response) == (405, {"detail": 'Method "PUT" not allowed.'})
    assert set(response.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "OPTIONS", "POST"}
    response = client.request("POST", "/bookmarks/", data="url=x", content_type="text/plain")
    assert told(response) == (415, {"detail": 'Unsupported media type "text/plain" in request.'})


def test_fields_and_parameters_that_are_unknown_are_passed_over(client: LinkdingClient) -> None:
    """Clients write back all that they have read, and newer ones send what this version does not know."""
    body = {"url": "https://a.example", "id": 7, "date_added": "yesterday", "title": 5, "unread": "true"}
    made = client.post("/bookmarks/?surprise=1", body)
    assert (made.status_code, made.json["title"], made.json["unread"]) == (201, "5", True)


def test_too_many_requests_are_429_with_the_time_to_wait(
    client: LinkdingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_to_one(client.app, monkeypatch)
    assert client.get("/user/profile/").status_code == 200
    response = client.get("/user/profile/")
    seconds = int(response.headers["Retry-After"])
    assert told(response) == (
        429,
        {"detail": f"Request was throttled. Expected available in {seconds} second{'' if seconds == 1 else 's'}."},
    )


def limit_to_one(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """One read a minute."""
    limits = dict.fromkeys(RATE_LIMIT_CLASSES, (1_000, 10_000, 100_000))
    monkeypatch.setitem(app.extensions, "rate_limits", RateLimits({**limits, "read": (1, 100, 1_000)}))


def test_a_failure_is_500_without_a_word_about_it(client: LinkdingClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setitem(client.app.view_functions, "linkding_bookmarks.list_bookmarks", fail)
    assert told(client.get("/bookmarks/")) == (500, {"detail": "A server error occurred."})


@pytest.mark.parametrize("path", ["/bookmarks/", "/bookmarks/999999/", "/nothing/"])
def test_every_answer_carries_the_usual_headers(client: LinkdingClient, path: str) -> None:
    response = client.request("GET", path, headers={"X-Request-ID": "mine"})
    for name, value in {**HEADERS, "Content-Security-Policy": API_POLICY, "X-Request-ID": "mine"}.items():
        assert response.headers.get_all(name) == [value]


def test_outside_refusals_are_problems_as_ever(ada: Api) -> None:
    assert ada.get("/bookmarks/999999").content_type == "application/problem+json"
    assert ada.client.get("/linkdings").content_type == "application/problem+json"
