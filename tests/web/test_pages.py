"""The shell, its files and their headers, as browsers get them."""

from __future__ import annotations

import json
import re

import brotli
import pytest
from backports import zstd

from backend.http.middleware.security_headers import API_POLICY, HEADERS
from backend.web.files import ClientFiles
from backend.web.screens import screen_paths
from tests.support.api import Api

pytestmark = pytest.mark.integration
FILES = ClientFiles()
SCREENS = [re.sub(r":\w+", "7", path) for path in screen_paths(FILES.text("routes.js"))]


def shell(anonymous: Api) -> str:
    """The text of the first page."""
    text: str = anonymous.client.get("/").get_data(as_text=True)
    return text


def but_for_modules(page: str) -> list[str]:
    """The lines of a page that do not name the modules of its screen."""
    return [line for line in page.splitlines() if "modulepreload" not in line]


@pytest.mark.parametrize("path", [*SCREENS, "/projects/", "/?utm_source=x"])
def test_every_screen_begins_as_the_shell(anonymous: Api, path: str) -> None:
    response = anonymous.client.get(path)
    assert response.status_code == 200
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    assert but_for_modules(response.get_data(as_text=True)) == but_for_modules(shell(anonymous))


def test_the_page_of_a_screen_names_its_modules(anonymous: Api) -> None:
    page = anonymous.client.get("/settings/tokens").get_data(as_text=True)
    for module in ("screens/settings.js", "settings/tokens.js", "vendor/preact.js"):
        assert f'rel="modulepreload" fetchpriority="low" href="/assets/{FILES.version}/{module}"' in page
    assert "screens/home.js" not in page
    assert "screens/home.js" in shell(anonymous)


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/projects/1/2/3", "/bookmarks/%0a", "/api", "/api/v1", "/api/v1/nothing", "/assets/", "/library.js"],
)
def test_what_is_no_screen_stays_a_problem(anonymous: Api, path: str) -> None:
    response = anonymous.client.get(path)
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    assert response.headers["Content-Security-Policy"] == API_POLICY


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_shell_answers_reads_alone(anonymous: Api, method: str) -> None:
    assert anonymous.client.open("/library", method=method).content_type == "application/problem+json"


def test_its_headers_let_nothing_run_that_is_not_a_file_of_ours(anonymous: Api) -> None:
    response = anonymous.client.get("/")
    for name, value in HEADERS.items():
        assert response.headers.get_all(name) == [value]
    [policy] = response.headers.get_all("Content-Security-Policy")
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert directives["frame-ancestors"] == directives["form-action"] == "'none'"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["X-Request-ID"]


def test_the_shell_holds_no_script_or_style_of_its_own(anonymous: Api) -> None:
    page = shell(anonymous)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    assert re.findall(r"<script(.*?)>(.*?)</script>", page) == [
        (f' src="/assets/{FILES.version}/core/early-session.js"', ""),
        (f' type="module" src="/assets/{FILES.version}/main.js"', ""),
    ]


def test_everything_that_it_names_is_there(anonymous: Api) -> None:
    named = re.findall(r'(?:src|href)="(/assets/[^"]+[^/])"', shell(anonymous))
    assert len(named) > 30
    for address in named:
        response = anonymous.client.get(address)
        assert response.status_code == 200, address
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/0000000000000000/main.js",
        f"/assets/{FILES.version}/nothing.js",
        f"/assets/{FILES.version}/../files.py",
        f"/assets/{FILES.version}/vendor/preact.d.ts",
    ],
)
def test_no_other_file_is_given_out(anonymous: Api, path: str) -> None:
    assert anonymous.client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "coding", "decode"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip, zstd", "zstd", zstd.decompress),
        ("br;q=0", None, bytes),
        (None, None, bytes),
    ],
)
def test_files_come_in_the_coding_that_the_browser_takes(
    anonymous: Api, accepted: str | None, coding: str | None, decode: object
) -> None:
    path = f"/assets/{FILES.version}/main.js"
    response = anonymous.client.get(path, headers={"Accept-Encoding": accepted} if accepted else {})
    assert response.headers.get("Content-Encoding") == coding
    assert response.headers["Vary"] == "Accept-Encoding"
    assert callable(decode)
    assert decode(response.data) == FILES.by_path["main.js"].content


def test_a_known_page_is_not_sent_again(anonymous: Api) -> None:
    first = anonymous.client.get("/")
    again = anonymous.client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = anonymous.client.head("/")
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
    assert head.headers["Content-Length"] == first.headers["Content-Length"]


def test_below_a_base_path_everything_is_below_it(anonymous: Api) -> None:
    below = {"environ_overrides": {"SCRIPT_NAME": "/fuze"}}
    page = anonymous.client.get("/", **below).get_data(as_text=True)
    addresses = list(re.findall(r'(?:src|href)="([^"]+)"', page))
    assert addresses
    assert all(address.startswith("/fuze/") for address in addresses)
    manifest = json.loads(anonymous.client.get("/manifest.webmanifest", **below).data)
    assert all(icon["src"].startswith("/fuze/assets/") for icon in manifest["icons"])
    assert 'const BASE = "/fuze";' in anonymous.client.get("/service-worker.js", **below).get_data(as_text=True)


def test_the_manifest_takes_shared_links(anonymous: Api) -> None:
    response = anonymous.client.get("/manifest.webmanifest")
    assert response.content_type == "application/manifest+json"
    manifest = json.loads(response.data)
    assert manifest["share_target"]["action"] == "add"
    for icon in manifest["icons"]:
        assert anonymous.client.get(icon["src"]).status_code == 200


def test_the_service_worker_stores_files_that_are_there(anonymous: Api) -> None:
    response = anonymous.client.get("/service-worker.js")
    assert response.headers["Cache-Control"] == "no-cache"
    [listed] = re.findall(r"^const STORED = (\[.*\]);$", response.get_data(as_text=True), re.MULTILINE)
    stored = json.loads(listed)
    assert f"/assets/{FILES.version}/screens/reader.js" in stored
    assert all(anonymous.client.get(address).status_code == 200 for address in stored)
