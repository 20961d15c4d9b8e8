"""Challenges, blocks, login and consent walls: each signature, and pages that only speak of such things."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest

from backend.capture.extract.interstitials import (
    BLOCKED,
    CHALLENGE,
    CONSENT,
    LOGIN,
    SIGNATURES,
    ShownPage,
    interstitial,
    interstitial_by_headers,
)
from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.scan import scan_html
from backend.outbound.failures import FetchError
from tests.capture.fetching import failure
from tests.capture.local_server import LocalServer, response

pytestmark = pytest.mark.unit

URL = "https://www.example.org/a/page"
SENTENCE = "The keeper of the harbour lamp counted the moths of each night, and wrote their number into a book. "


class Wall(NamedTuple):
    """A page as such products send it, in a few lines."""

    title: str
    body: str
    server: str = ""
    url: str = URL


FORM = '<form method="post"><input name="user"><input type="password" name="pass"><button>Go</button></form>'
WALLS = {
    "Cloudflare script": Wall("Ein Moment…", "<p>example.org</p><script>window._cf_chl_opt={cvId:'3'}</script>"),
    "Cloudflare text": Wall("example.org", "<noscript>Enable JavaScript and cookies to continue</noscript>"),
    "Cloudflare server": Wall("Just a moment...", "<p>example.org</p>", "cloudflare"),
    "Cloudflare block": Wall(
        "Attention", '<div id="cf-error-details"><h1>Sorry, you have been blocked</h1><p>Ray ID: 8a</p></div>'
    ),
    "Cloudflare restriction": Wall(
        "Access denied | www.example.org used Cloudflare to restrict access", "<h1>Error 1020</h1>"
    ),
    "Akamai block": Wall(
        "Access Denied", "<h1>Access Denied</h1>You may not see this.<p>Reference&#32;&#35;18&#46;2f</p>"
    ),
    "Akamai server": Wall("Access Denied", f"<h1>Access Denied</h1><p>{SENTENCE * 3}</p>", "AkamaiGHost"),
    "Akamai challenge": Wall("", '<div id="sec-if-cpt-container"></div>'),
    "AWS script": Wall("", "<script>window.gokuProps = {key: 'a'};</script>"),
    "HUMAN challenge": Wall("example.org", '<p>Press to confirm you are a human.</p><div id="px-captcha"></div>'),
    "HUMAN block": Wall("Access to this page has been denied.", "<p>Please verify.</p>"),
    "DataDome challenge": Wall("example.org", '<script src="https://ct.captcha-delivery.com/c.js"></script>'),
    "Imperva block": Wall("", "Request unsuccessful. Incapsula incident ID: 1-2"),
    "Imperva challenge": Wall("", '<iframe id="main-iframe" src="/_Incapsula_Resource?CWUDNSAI=9"></iframe>'),
    "Sucuri challenge": Wall("You are being redirected...", "<script>var sucuri_cloudproxy_js='';</script>"),
    "Sucuri notice": Wall("Sucuri WebSite Firewall - Access Denied", "<p>Block reason: a country.</p>"),
    "DDoS-Guard challenge": Wall("x", '<script src="/.well-known/ddos-guard/js-challenge/index.js"></script>'),
    "DDoS-Guard server": Wall("DDoS-Guard", "<p>example.org</p>", "ddos-guard"),
    "Anubis challenge": Wall("A check", '<script id="anubis_challenge" type="application/json">{}</script>'),
    "Vercel checkpoint": Wall("Vercel Security Checkpoint", "<p>Please hold on.</p>"),
    "Google check": Wall("https://www.example.org/", '<form id="captcha-form"></form>We saw unusual traffic from you.'),
    "Amazon check": Wall("Amazon", '<form action="/errors/validateCaptcha"></form>Type the characters.'),
    "challenge by words": Wall(
        "Just a moment...", f"<p>{SENTENCE * 3}</p><p>Verifying you are human. This may take a few seconds.</p>"
    ),
    "challenge without text": Wall("Robot Check", "<p>One more step.</p>"),
    "challenge by text": Wall("example.org", "<p>Checking your browser before accessing example.org.</p>"),
    "block by words": Wall(
        "Access denied", f"<h1>Access denied</h1><p>You do not have permission to see this page. {SENTENCE}</p>"
    ),
    "block without text": Wall("403 Forbidden", "<h1>Forbidden</h1><hr>nginx"),
    "login page": Wall("Sign in to Example · Example", FORM),
    "login form": Wall("Harbour", f"<h1>Log in to continue reading</h1>{FORM}"),
    "redirect to a login form": Wall("Example", FORM, url="https://www.example.org/users/sign_in"),
    "redirect to a login page": Wall("Sign in - Google Accounts", "<input name=email>", url="https://accounts.google.com/v3/x"),
    "redirect to a consent page": Wall("Example", SENTENCE * 40, url="https://consent.youtube.com/m"),
    "consent page": Wall(
        "Before you continue to Example",
        "<p>We use cookies.</p><form><button>Accept all</button><button>Reject all</button></form>",
    ),
}  # fmt: skip
HEADERS = {
    "Cloudflare challenge": {"cf-mitigated": "challenge"},
    "Vercel challenge": {"x-vercel-mitigated": "challenge"},
    "AWS challenge": {"x-amzn-waf-action": "captcha"},
    "Sucuri block": {"x-sucuri-block": "GEO"},
}


def shown(wall: Wall) -> ShownPage:
    markup = f"<html><head><title>{wall.title}</title></head><body>{wall.body}</body></html>"
    return ShownPage(wall.title, markup, scan_html(markup).text, wall.url, URL, {"server": wall.server})


def test_each_signature_has_its_example() -> None:
    assert [one.name for one in SIGNATURES] == list(dict.fromkeys(one.name for one in SIGNATURES))
    assert {one.name for one in SIGNATURES} == {*WALLS, *HEADERS}


@pytest.mark.parametrize("name", WALLS)
def test_a_wall_is_known_by_its_signature(name: str) -> None:
    found = interstitial(shown(WALLS[name]))
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", WALLS)
def test_a_long_page_with_the_same_marks_is_a_page(name: str) -> None:
    """All but that of a consent page's own host, which holds nothing else."""
    wall = WALLS[name]
    long = wall._replace(body=wall.body + f"<p>{SENTENCE * 40}</p>")
    assert (interstitial(shown(long)) is None) == (name != "redirect to a consent page")


@pytest.mark.parametrize("status", [200, 202, 403, 429, 503])
@pytest.mark.parametrize("name", HEADERS)
def test_headers_tell_before_the_status_does(name: str, status: int, server: LocalServer) -> None:
    headers = {header.replace("-", "_"): value for header, value in HEADERS[name].items()}
    server.answers["/"] = response(status, b"<title>t</title>", content_type="text/html", retry_after="77", **headers)
    found = interstitial_by_headers(HEADERS[name])
    refusal = failure(server.url())
    assert found is not None
    assert (refusal.reason, refusal.retryable, refusal.retry_after_seconds) == (found.reason, True, 77)


@pytest.mark.parametrize(
    "headers", [{}, {"cf-mitigated": ""}, {"cf-mitigated": "challenges"}, {"server": "cloudflare"}]
)
def test_other_headers_tell_nothing(headers: dict[str, str]) -> None:
    assert interstitial_by_headers(headers) is None


# Pages about such things, with few words at that.
PAGES = {
    "article": ("Access denied: how we locked ourselves out", f"<h1>Access denied</h1><p>{SENTENCE * 4}</p>"),
    "question": ("Access denied when I mount a share", "<p>I get: you do not have permission. My IP is right.</p>"),
    "documentation": ("403 Forbidden - Web docs", f"<p>The server understood but refuses. {SENTENCE * 8}</p>"),
    "song": ("Access Denied", f"<p>The second song of the record. {SENTENCE * 2}</p>"),
    "idiom": ("Just a moment: on waiting", f"<p>Are you human? {SENTENCE}</p>"),
    "poem": ("Just a moment", f"<p>{SENTENCE * 6}</p>"),
    "guide": (
        "Enable JavaScript and cookies to continue",
        f"<p>This is what a challenge says: Enable JavaScript and cookies to continue. {SENTENCE * 3}</p>",
    ),
    "captcha": ("How a captcha works", f"<p>Unusual traffic, robots, humans. {SENTENCE}</p>"),
    "analysis": ("Inside a challenge", f"<pre>window._cf_chl_opt = 1</pre><p>{SENTENCE * 25}</p>"),
    "login design": ("Log in forms that work", f"<p>Use a label. {SENTENCE}</p>{FORM}"),
    "login without a form": ("Sign in with a key", f"<p>No password is needed. {SENTENCE}</p>"),
    "advice": ("On robots", f"<p>How would you verify that a visitor is a human? {SENTENCE}</p>"),
    "forum with a login box": ("Moths in the oil", f"<div>{FORM}</div><p>{SENTENCE}</p>"),
    "privacy": ("We value your privacy: what the sentence means", f"<p>Accept, reject. {SENTENCE}</p><form></form>"),
    "script": ("Board", "<div id=root></div><script src=/_next/app.js></script>"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_about_walls_is_a_page(name: str) -> None:
    title, body = PAGES[name]
    assert interstitial(shown(Wall(title, body))) is None
    markup = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    assert extract_page(markup.encode(), url=URL, media_type="text/html", charset=None).title


@pytest.mark.parametrize("path", ["/login", "/users/sign_in", "/accounts/login/", "/wp-login.php"])
def test_who_saves_a_login_page_means_it(path: str) -> None:
    url = f"https://www.example.org{path}"
    assert interstitial(replace(shown(Wall("Log in", FORM, url=url)), requested_url=url)) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [("Cloudflare script", CHALLENGE), ("block by words", BLOCKED), ("login page", LOGIN), ("consent page", CONSENT)],
)
def test_a_wall_in_place_of_a_page_may_be_tried_again(name: str, reason: str) -> None:
    with pytest.raises(FetchError) as caught:
        extract_page(shown(WALLS[name]).markup.encode(), url=URL, media_type="text/html", charset=None)
    assert (caught.value.reason, caught.value.retryable) == (reason, True)


HOSTILE = ["<input ", "<iframe ", "access denied | ", "sign in to ", "_cf_chl_op", "<input type ", "a", " | "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_pages_are_compared_to_their_end(piece: str) -> None:
    """In linear time; quadratic time would take minutes."""
    many = piece * 1_000_000
    assert interstitial(ShownPage(many[:10_000], many, many[:1_000], URL, URL, {})) is None
