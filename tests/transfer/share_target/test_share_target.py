"""/save: leads to the web client with what a page or a phone shares."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.support.api import Api, field_errors

pytestmark = pytest.mark.integration


def test_what_is_shared_goes_along_to_the_web_client(anonymous: Api, app: Flask) -> None:
    shared = {"url": "https://example.org/?a=1&b=ü#c", "title": 'A "title" & \U0001f680', "text": "line\nline"}
    response = anonymous.client.get("/save", query_string=shared)
    assert response.status_code == 302
    assert response.headers["Cache-Control"] == "no-store"
    target = urlsplit(response.headers["Location"])
    assert f"{target.scheme}://{target.netloc}" == app.extensions["settings"].FRONTEND_URL
    assert target.path == "/save"
    assert {name: value for name, [value] in parse_qs(target.query).items()} == shared


def test_it_leads_nowhere_else(anonymous: Api, app: Flask) -> None:
    for url in ("//evil.example.org", "https://evil.example.org/\r\nSet-Cookie: a=b"):
        target = urlsplit(anonymous.client.get("/save", query_string={"url": url}).headers["Location"])
        assert f"{target.scheme}://{target.netloc}" == app.extensions["settings"].FRONTEND_URL


def test_other_parameters_are_refused(anonymous: Api) -> None:
    assert field_errors(anonymous.client.get("/save?next=x")) == {"query.next": "extra_forbidden"}


@pytest.mark.parametrize(("site", "base"), [("http://localhost", ""), ("http://localhost/fuze/", "/fuze")])
def test_to_its_own_client_it_leads_by_another_path(
    anonymous: Api, app: Flask, monkeypatch: pytest.MonkeyPatch, site: str, base: str
) -> None:
    usual = app.extensions["settings"]
    monkeypatch.setitem(app.extensions, "settings", usual.model_copy(update={"FRONTEND_URL": site}))
    response = anonymous.client.get("/save?url=https://example.org/", environ_overrides={"SCRIPT_NAME": base})
    assert response.status_code == 302
    assert response.headers["Location"] == f"{site.rstrip('/')}/add?url=https%3A%2F%2Fexample.org%2F"
