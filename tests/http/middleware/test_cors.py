"""Browsers may call from the origins that the operator names, and from no others (R-HTTP 1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.app import create_app
from config import Settings
from tests.support.api import Api

pytestmark = pytest.mark.integration
ORIGIN = "https://app.example.org"
STRANGERS = [
    "https://evil.example.org",
    "http://app.example.org",
    "https://app.example.org:8443",
    "https://app.example.org.evil.com",
    "https://appXexample.org",
    "https://app.example.org/",
    "https://app.example.org\n",
    "null",
    "*",
    "",
]


def preflight(person: Api, origin: str, method: str = "PATCH") -> TestResponse:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    return person.request("OPTIONS", "/bookmarks/1", headers={"Origin": origin, **asked})


def allowed_headers(response: TestResponse) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("Access-Control-")}


def test_a_preflight_from_a_named_origin_is_answered_without_a_token(anonymous: Api) -> None:
    response = preflight(anonymous, ORIGIN)
    assert response.status_code == 200
    told = allowed_headers(response)
    assert told["Access-Control-Allow-Origin"] == ORIGIN
    assert told["Access-Control-Allow-Credentials"] == "true"
    assert told["Access-Control-Allow-Headers"] == "authorization, content-type"
    methods = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}
    assert set(told["Access-Control-Allow-Methods"].split(", ")) == methods


@pytest.mark.parametrize("status", [200, 401, 404, 405])
def test_every_answer_to_a_named_origin_may_be_read(ada: Api, anonymous: Api, status: int) -> None:
    person = anonymous if status == 401 else ada
    method = "PUT" if status == 405 else "GET"
    path = "/nothing" if status == 404 else "/bookmarks"
    response = person.request(method, path, headers={"Origin": ORIGIN})
    assert response.status_code == status
    assert response.headers.get_all("Access-Control-Allow-Origin") == [ORIGIN]
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert "X-Request-ID" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", STRANGERS)
def test_no_other_origin_is_let_in_or_echoed(ada: Api, origin: str) -> None:
    if "\n" not in origin:
        assert allowed_headers(preflight(ada, origin)) == {}
        assert allowed_headers(ada.request("GET", "/bookmarks", headers={"Origin": origin})) == {}


def test_who_sends_no_origin_is_told_none(ada: Api) -> None:
    assert allowed_headers(ada.get("/bookmarks")) == {}


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Origin": "https://evil.example.org"}])
def test_caches_are_told_that_the_answer_depends_on_the_origin(ada: Api, headers: dict[str, str]) -> None:
    response = ada.request("GET", "/bookmarks", headers=headers)
    assert "origin" in {name.lower() for name in response.vary}


@pytest.fixture
def app_allowing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], Flask]:
    """Makes applications that allow other origins."""
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    return lambda origins: create_app(settings.model_copy(update={"ALLOWED_ORIGINS": origins}))


def test_an_origin_with_brackets_is_a_name_and_no_pattern(app_allowing: Callable[[list[str]], Flask]) -> None:
    person = Api(app_allowing(["http://[::1]:3000", ORIGIN]))
    assert allowed_headers(preflight(person, "http://[::1]:3000"))["Access-Control-Allow-Origin"] == "http://[::1]:3000"
    for origin in ("http://1:3000", "http://::3000", "http://[::1]:30001"):
        assert allowed_headers(preflight(person, origin)) == {}


def test_without_named_origins_no_browser_is_let_in(app_allowing: Callable[[list[str]], Flask]) -> None:
    assert allowed_headers(preflight(Api(app_allowing([])), ORIGIN)) == {}


EXTENSION = "moz-extension://4d6f7a0e-1b2c-4d3e-8f90-a1b2c3d4e5f6"


@pytest.fixture(scope="module")
def with_extensions(settings: Settings) -> Flask:
    """An application that the clients of two browsers may call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.app.track_app", lambda app: None)
        return create_app(
            settings.model_copy(update={"ALLOWED_ORIGINS": [EXTENSION, f"chrome-extension://{'abcd' * 8}"]})
        )


@pytest.mark.parametrize("origin", [EXTENSION, f"chrome-extension://{'abcd' * 8}"])
def test_an_extension_that_is_named_may_call(with_extensions: Flask, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = with_extensions.test_client().options("/api/v1/bookmarks", headers=asked)
    assert allowed_headers(answer)["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize(
    "origin", [EXTENSION.replace("4d", "5d"), f"chrome-extension://{'abce' * 8}", "moz-extension://"]
)
def test_another_extension_may_not(with_extensions: Flask, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = with_extensions.test_client().options("/api/v1/bookmarks", headers=asked)
    assert allowed_headers(answer) == {}
