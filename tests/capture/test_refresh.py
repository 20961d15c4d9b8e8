"""Refreshes that lead on like redirects, by the rules of browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

import httpx
import pytest

from backend.capture.fetch import fetch_page
from backend.capture.refresh import SCANNED_BYTES, parse_refresh, refresh_target
from tests.capture.fetching import HTML, PUBLIC, Names, bounds, failure
from tests.capture.local_server import LocalServer, head, redirect, response, running
from tests.capture.test_fetch import HOSTILE_NAMES, HOSTILE_URLS, START

pytestmark = pytest.mark.unit

PAGE = "https://news.example/a/page"


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0; url=/target", "/target"),
        ("0;url=/target", "/target"),
        ("0; URL=/target", "/target"),
        ("0; Url = /target ", "/target"),
        ("  0  ,  url='/target'  ", "/target"),
        ('0; url="/target" and more', "/target"),
        ("0; url='/target", "/target"),
        ("0 url=/target", "/target"),
        ("0; /target", "/target"),
        ("0; '/target'", "/target"),
        ("0.9; url=/target", "/target"),
        (".5; url=/target", "/target"),
        ("5; url=/target", "/target"),
        ("0; url=/a;b=1", "/a;b=1"),
        ("0; url", "url"),
        ("0; urls/1", "urls/1"),
        ("6; url=/target", None),
        ("300; url=/target", None),
        ("9" * 5000 + "; url=/target", None),
        ("0", None),
        ("0;", None),
        ("0; url=", None),
        ("0; url=''", None),
        ("0url=/target", None),
        ("-1; url=/target", None),
        ("; url=/target", None),
        ("url=/target", None),
        ("", None),
    ],
)
def test_a_refresh_is_parsed_as_browsers_do(content: str, target: str | None) -> None:
    assert parse_refresh(content) == target


def meta(content: str = "0; url=/target") -> str:
    return f'<meta http-equiv="refresh" content="{content}">'


@pytest.mark.parametrize(
    ("markup", "target"),
    [
        (meta(), "https://news.example/target"),
        ("<html><head><title>Redirecting</title>" + meta("0; url=b") + "</head>", "https://news.example/a/b"),
        ("<META CONTENT='0;URL=b' HTTP-EQUIV=Refresh>", "https://news.example/a/b"),
        ("<meta http-equiv=refresh content=0;url=b />", "https://news.example/a/b"),
        ('<meta name="x" http-equiv = " REFRESH "\n content="0; url=b">', "https://news.example/a/b"),
        (meta("0; url=//other.example/?a=1&amp;b=2&copy=3"), "https://other.example/?a=1&b=2&copy=3"),
        (meta("0; url=&#x2F;target"), "https://news.example/target"),
        (meta("0; url=/größe"), "https://news.example/größe"),
        ("<base href='/dir/'>" + meta("0; url=b"), "https://news.example/dir/b"),
        ("<base target=_top><base href=/dir/><base href=/no/>" + meta("0; url=b"), "https://news.example/dir/b"),
        ("<body><p>Moved." + meta(), "https://news.example/target"),
        (meta("nonsense") + meta(), "https://news.example/target"),
        (meta("0; url=/first") + meta("0; url=/second"), "https://news.example/first"),
        (meta("600") + meta(), "https://news.example/target"),
        (meta("600; url=/later") + meta(), None),
        (meta("0; url=#part"), None),
        (meta("5; url=/a/page"), None),
        (meta("0; url=javascript:history.back()"), None),
        (f"<!-- {meta()} -->", None),
        (f"<!-- {meta()}", None),
        (f"<noscript>{meta()}</noscript>", None),
        (f"<script>x = '{meta()}'</script>", None),
        (f"<template>{meta()}</template>", None),
        (f"<title>{meta()}</title>", None),
        (f"<textarea>{meta()}</textarea>", None),
        (f"<iframe srcdoc='{meta()}'></iframe>", None),
        (f"<iframe>{meta()}</iframe>", None),
        ("<p title='<meta http-equiv=refresh'>0; url=/target</p>", None),
        ("<meta name=refresh content='0; url=/target'> http-equiv=refresh", None),
        (f"<noscript>{meta('0; url=/no')}</noscript>{meta()}", "https://news.example/target"),
        (" " * SCANNED_BYTES + meta(), None),
    ],
)
def test_the_markup_of_a_page_says_where_it_leads(markup: str, target: str | None) -> None:
    assert refresh_target(markup.encode(), httpx.Headers(), "text/html", PAGE) == target


@pytest.mark.parametrize("codec", ["utf-16", "latin-1", "utf-8"])
def test_a_refresh_is_read_in_other_encodings(codec: str) -> None:
    body = f"<title>ä</title>{meta()}".encode(codec)
    assert refresh_target(body, httpx.Headers(), "text/html", PAGE) == "https://news.example/target"


@pytest.mark.parametrize("media_type", ["text/plain", "application/pdf", "application/xml", ""])
def test_only_html_has_markup(media_type: str) -> None:
    assert refresh_target(meta().encode(), httpx.Headers(), media_type, PAGE) is None


def test_a_header_may_lead_on() -> None:
    found = refresh_target(meta().encode(), httpx.Headers({"Refresh": "0; url=/there"}), "text/html", PAGE)
    assert found == "https://news.example/there"


HOSTILE = [
    *("<!--", "<script>", "<svg", "<meta ", "<meta '\"", '<meta a="', "</script", "<base href='", "<meta a=b ", "&a"),
    *("<meta http-equiv=refresh content=' ", "http-equiv = ", "=\t", "a\t", "'", "<noscript><", "0 ", "&#1"),
]


@pytest.mark.parametrize("opening", ["", "<meta ", "<meta content='", "<meta http-equiv=refresh content='0"])
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_markup_is_read_to_its_end(piece: str, opening: str) -> None:
    """In linear time; quadratic time would take minutes."""
    body = (opening + piece * SCANNED_BYTES)[: SCANNED_BYTES - 30] + " http-equiv=refresh"
    target = refresh_target(body.encode(), httpx.Headers(), "text/html", PAGE)
    assert target is None or target.startswith("https://news.example/")


# ---- Through the fetch


def page(content: str = "0; url=/target", inner: str = "") -> bytes:
    return response(body=f"<html><head>{meta(content)}</head>{inner}</html>".encode(), content_type="text/html")


def test_a_refresh_is_followed_like_a_redirect(server: LocalServer) -> None:
    entered: list[str] = []
    server.answers |= {"/": page(), "/target": redirect("/end"), "/end": response(body=HTML, content_type="text/html")}
    found = fetch_page(server.url(), bounds(enter=entered.append))
    assert (found.url, found.body, found.requested_url) == (server.url("/end"), HTML, server.url())
    assert entered == [server.url("/"), server.url("/target"), server.url("/end")]


def test_the_cookies_of_a_page_that_leads_on_are_sent(server: LocalServer) -> None:
    body = meta().encode()
    server.answers |= {"/": response(body=body, content_type="text/html", set_cookie="seen=1"), "/target": page("9")}
    fetch_page(server.url(), bounds())
    assert server.requests[1].headers["cookie"] == "seen=1"


@pytest.mark.parametrize("hops", [5, 6])
def test_refreshes_count_with_the_redirects(hops: int, server: LocalServer) -> None:
    for number in range(hops):
        lead = page(f"0; url=/{number + 1}") if number % 2 else redirect(f"/{number + 1}")
        server.answers[f"/{number}"] = lead
    server.answers[f"/{hops}"] = response(body=HTML, content_type="text/html")
    if hops == 5:
        assert fetch_page(server.url("/0"), bounds()).body == HTML
    else:
        assert failure(server.url("/0")).reason == "The address redirects too many times."


def test_pages_that_lead_to_each_other_end(server: LocalServer) -> None:
    server.answers |= {"/": page("0; url=/b"), "/b": page("0; url=/")}
    assert failure(server.url()).reason == "The address redirects too many times."
    assert len(server.requests) == 6


def test_a_page_that_reloads_itself_is_a_page(server: LocalServer) -> None:
    server.answers["/"] = page("5; url=/")
    assert fetch_page(server.url(), bounds()).url == server.url()
    assert len(server.requests) == 1


def test_a_page_that_starts_a_download_stays(server: LocalServer) -> None:
    server.answers |= {"/": page("3; url=/file.zip"), "/file.zip": head(content_type="application/zip")}
    found = fetch_page(server.url(), bounds())
    assert (found.url, found.media_type) == (server.url(), "text/html")


def test_a_refresh_to_a_page_that_is_gone_fails_with_its_reason(server: LocalServer) -> None:
    server.answers |= {"/": page(), "/target": response(410)}
    assert "410" in failure(server.url()).reason


@pytest.fixture(scope="module")
def start() -> Iterator[LocalServer]:
    with running(START) as running_server:
        yield running_server


# Without those that are the page itself, that no markup can carry, or that browsers ignore.
REFUSED = [url for url in HOSTILE_URLS if not re.search(r"[\x00\n\ud800\"]|^javascript:|^$|^http://$", url)]


@pytest.mark.parametrize("url", REFUSED)
def test_a_refresh_to_a_hostile_url_connects_nowhere_else(url: str, start: LocalServer) -> None:
    names = Names({**HOSTILE_NAMES, "start.example": [[START]]})
    start.answers["/"] = page(f"0; url={url}")
    start.requests.clear()
    assert not failure(start.url(host="start.example"), bounds(names, allowed_networks=[ip_network(START)])).retryable
    assert {request.headers["host"] for request in start.requests} == {f"start.example:{start.port}"}
    assert PUBLIC not in names.asked
