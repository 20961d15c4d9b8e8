"""The pages about the API: complete without the internet, and drawn under a policy without inline script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.api import Api
from tests.support.browser import CHROMIUM, browse
from tests.support.live import LiveServer

pytestmark = pytest.mark.integration


class Page(HTMLParser):
    """What a page loads, and what it does on its own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.inline = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.inline += data.strip()


def test_the_page_loads_only_what_this_server_has(anonymous: Api) -> None:
    response = anonymous.get("/api/docs")
    assert response.content_type == "text/html; charset=utf-8"
    page = Page(response.get_data(as_text=True))
    assert page.inline == ""
    assert page.handlers == []
    assets = [name for name in page.loads if not name.startswith("data:")]
    assert len(assets) == 3
    for name in assets:
        asset = anonymous.get(name)
        assert asset.status_code == 200
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        assert asset.mimetype == kind
        assert not re.search(rb"@import|url\(['\"]?https?:", asset.data) or kind == "text/javascript"


@pytest.mark.processes
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_draws_every_operation_under_the_policy(anonymous: Api, live: LiveServer, tmp_path: Path) -> None:
    document = anonymous.get("/api/openapi.json").json
    operations = sum(len(methods) for methods in document["paths"].values())
    dom, console = browse(f"{live.url}/api/docs#/bookmarks/bookmarks_create_bookmark", tmp_path)
    assert dom.count('class="opblock opblock-') == operations, console
    assert document["paths"]["/api/v1/bookmarks"]["post"]["summary"] in dom
    assert "on_duplicate" in dom, "the operation that the address names is not open"
    assert "Content Security Policy" not in console
    assert "Uncaught" not in console


def test_the_page_is_found_with_and_without_a_slash(anonymous: Api) -> None:
    plain, slash = (anonymous.get(f"/api/docs{end}") for end in ("", "/"))
    assert (plain.status_code, slash.status_code) == (200, 200)
    assert slash.data == plain.data
    assert slash.headers["Content-Security-Policy"] == plain.headers["Content-Security-Policy"]
