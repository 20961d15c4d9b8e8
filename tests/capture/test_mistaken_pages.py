"""Pages that are not what they look like, from the server to the API: what is stored, and what the person is told."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from backports import zstd
from flask import Flask
from sqlalchemy import text

from backend.capture.extract.interstitials import BLOCKED, CHALLENGE, CONSENT, LOGIN
from backend.extensions import db
from tests.capture.local_server import LocalServer, head, redirect, response, running
from tests.capture.test_interstitials import WALLS
from tests.capture.waiting import capture
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PAGE = b"""<html lang="en"><head><title>Tide tables</title></head><body><article>
<p>The tide tables of the harbour were printed on yellow paper, and sold by the pilots.</p></article></body></html>"""
SEED = 7


@pytest.fixture
def site(context: Flask) -> Iterator[LocalServer]:
    with running("127.0.0.1") as server:
        yield server


def answer(body: bytes | str, **headers: str) -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    return response(200, raw, **{"content_type": "text/html; charset=utf-8", **headers})


def read(ada: Api, bookmark_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ada.get(f"/bookmarks/{bookmark_id}").json
    return found


def content(ada: Api, bookmark_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ada.get(f"/bookmarks/{bookmark_id}/content").json
    return found


def save(ada: Api, site: LocalServer, body: bytes, path: str = "/page", **fields: Any) -> int:
    site.answers[path] = body
    return int(ada.save(site.url(path), capture=True, **fields)["id"])


def make_due(bookmark_id: int) -> None:
    db.session.execute(text("UPDATE bookmarks SET capture_due_at = now() WHERE id = :id"), {"id": bookmark_id})
    db.session.commit()


# ---- Refreshes


@pytest.mark.parametrize(
    "markup",
    [
        '<meta http-equiv="refresh" content="0; url=/target">',
        "<!doctype html><title>Redirecting</title><META HTTP-EQUIV='Refresh' CONTENT='3;URL=target'><p>Please wait.",
        "<base href=/><meta http-equiv=refresh content=0;target>",
    ],
)
def test_a_page_that_only_leads_on_is_captured_as_its_target(ada: Api, site: LocalServer, markup: str) -> None:
    site.answers |= {"/target": redirect("/end"), "/end": answer(PAGE)}
    saved = save(ada, site, answer(markup))
    assert capture(saved).status == "captured"
    found = read(ada, saved)
    assert (found["url"], found["title"]) == (site.url("/page"), "Tide tables")
    assert "yellow paper" in content(ada, saved)["text"]


@pytest.mark.parametrize("target", ["http://10.0.0.1/", "http://169.254.169.254/latest/", "file:///etc/passwd"])
def test_a_page_leads_to_no_address_that_may_not_be_fetched(ada: Api, site: LocalServer, target: str) -> None:
    saved = save(ada, site, answer(f'<title>Redirecting</title><meta http-equiv="refresh" content="0; url={target}">'))
    assert capture(saved).status == "failed"
    assert (read(ada, saved)["title"], site.paths) == ("", ["/page"])


def test_a_refresh_for_browsers_without_scripts_is_ignored(ada: Api, site: LocalServer) -> None:
    noscript = '<noscript><meta http-equiv="refresh" content="0; url=/nojs"></noscript></head>'
    saved = save(ada, site, answer(PAGE.replace(b"</head>", noscript.encode())))
    assert capture(saved).status == "captured"
    assert (read(ada, saved)["title"], site.paths) == ("Tide tables", ["/page"])


# ---- Challenges and walls

KINDS = [
    ("Cloudflare script", CHALLENGE),
    ("Cloudflare text", CHALLENGE),
    ("Cloudflare server", CHALLENGE),
    ("block by words", BLOCKED),
    ("login page", LOGIN),
    ("consent page", CONSENT),
]


def wall_answer(name: str) -> bytes:
    wall = WALLS[name]
    headers = {"server": wall.server} if wall.server else {}
    return answer(f"<html><head><title>{wall.title}</title></head><body>{wall.body}</body></html>", **headers)


@pytest.mark.parametrize(("name", "reason"), KINDS)
def test_a_wall_is_tried_again_and_fails_with_its_reason(ada: Api, site: LocalServer, name: str, reason: str) -> None:
    saved = save(ada, site, wall_answer(name), title="Mine", notes="My notes", tags=["sea"])
    for attempt in (1, 2, 3):
        capture(saved)
        found = read(ada, saved)
        assert (found["capture"]["error"], found["capture"]["attempts"]) == (reason, attempt)
        make_due(saved)
    assert found["capture"]["status"] == "failed"
    assert [found[name] for name in ("title", "notes", "tags", "description")] == ["Mine", "My notes", ["sea"], ""]
    assert ada.get("/search", q="javascript cookies permission", mode="text").json["total"] == 0


def test_a_page_that_comes_after_a_challenge_is_captured(ada: Api, site: LocalServer) -> None:
    saved = save(ada, site, response(403, b"<title>Just a moment...</title>", cf_mitigated="challenge"))
    assert capture(saved).status == "pending"
    assert read(ada, saved)["capture"]["error"] == CHALLENGE
    site.answers["/page"] = answer(PAGE)
    make_due(saved)
    assert capture(saved).status == "captured"
    found = read(ada, saved)
    assert (found["title"], found["capture"]["error"]) == ("Tide tables", None)


def test_a_wall_at_a_later_capture_leaves_what_an_earlier_one_stored(ada: Api, site: LocalServer) -> None:
    saved = save(ada, site, answer(PAGE))
    assert capture(saved).status == "captured"
    site.answers["/page"] = wall_answer("Cloudflare text")
    ada.post(f"/bookmarks/{saved}/capture")
    assert capture(saved).status == "pending"
    assert (read(ada, saved)["title"], content(ada, saved)["title"]) == ("Tide tables", "Tide tables")
    assert "yellow paper" in content(ada, saved)["text"]


def test_a_redirect_to_a_login_is_a_wall(ada: Api, site: LocalServer) -> None:
    site.answers["/users/sign_in"] = answer("<title>Harbour</title><form><input type=password></form>")
    saved = save(ada, site, redirect("/users/sign_in"))
    assert capture(saved).reason == LOGIN


# ---- Scripts


def test_an_application_has_its_description_and_no_text(ada: Api, site: LocalServer) -> None:
    markup = (
        '<html><head><title>Board</title><meta name="description" content="Plan your work."></head><body>'
        '<noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div></body></html>'
    )
    saved = save(ada, site, answer(markup))
    assert capture(saved).status == "captured"
    found = read(ada, saved)
    assert (found["title"], found["description"], found["word_count"]) == ("Board", "Plan your work.", 0)
    assert (content(ada, saved)["text"], content(ada, saved)["html"]) == ("", "")


# ---- Compressed and other bytes


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstd.compress])
@pytest.mark.parametrize("media_type", ["text/html", "application/octet-stream", ""])
def test_a_compressed_page_that_does_not_say_so_is_read(
    ada: Api, site: LocalServer, pack: Any, media_type: str
) -> None:
    saved = save(ada, site, response(200, pack(PAGE), content_type=media_type))
    assert capture(saved).status == "captured"
    assert read(ada, saved)["title"] == "Tide tables"
    assert content(ada, saved)["text"].startswith("The tide tables of the harbour")


@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "application/json", "application/octet-stream", ""])
@pytest.mark.parametrize("start", [b"", b"<html><title>Noise</title><p>"])
def test_what_is_mostly_not_text_is_not_stored(ada: Api, site: LocalServer, start: bytes, media_type: str) -> None:
    noise = start + random.Random(SEED).randbytes(20_000)
    saved = save(ada, site, response(200, noise, content_type=media_type))
    assert capture(saved).status in ("failed", "skipped")
    found = read(ada, saved)
    assert (found["title"], found["capture"]["captured_at"]) == ("", None)
    assert found["capture"]["error"]
    assert ada.get(f"/bookmarks/{saved}/content").status_code == 404


# ---- Bodies that are cut


def short_length(body: bytes) -> bytes:
    return head(content_type="text/html", content_length="100000") + body


def cut_chunks(body: bytes) -> bytes:
    return head(content_type="text/html", transfer_encoding="chunked") + b"fff\r\n" + body


def cut_gzip(body: bytes) -> bytes:
    return answer(gzip.compress(body)[:-10], content_encoding="gzip")


CUTS = [short_length, cut_chunks, cut_gzip]


@pytest.mark.parametrize("cut", CUTS)
def test_what_came_of_a_page_is_read_and_a_note_says_that_it_was_cut(ada: Api, site: LocalServer, cut: Any) -> None:
    saved = save(ada, site, cut(PAGE))
    job = ada.post(f"/bookmarks/{saved}/capture").json
    assert capture(saved).status == "captured"
    found = read(ada, saved)
    assert (found["title"], found["capture"]["status"]) == ("Tide tables", "captured")
    assert found["capture"]["error"] == "The page was cut off: the site sent only a part of it."
    assert "yellow paper" in content(ada, saved)["text"]
    assert ada.get(f"/jobs/{job['id']}").json["result"]["reason"] == found["capture"]["error"]
    assert ada.get("/bookmarks", q="is:broken").json["total"] == 0
    # Another capture reads all of it.
    site.answers["/page"] = answer(PAGE)
    ada.post(f"/bookmarks/{saved}/capture")
    assert capture(saved).status == "captured"
    assert read(ada, saved)["capture"]["error"] is None


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("body", [b"", b"<!doctype html><html><head><title>Tide tables</title><meta name=x>"])
def test_what_holds_no_text_yet_is_tried_again(ada: Api, site: LocalServer, cut: Any, body: bytes) -> None:
    saved = save(ada, site, cut(body))
    assert capture(saved).status == "pending"
    found = read(ada, saved)
    assert (found["title"], found["capture"]["attempts"]) == ("", 1)
    assert found["capture"]["error"]


def test_a_page_beyond_the_limit_says_that_it_was_cut(
    ada: Api, site: LocalServer, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context.extensions["settings"], "CAPTURE_MAX_BYTES", 1000)
    saved = save(ada, site, answer(PAGE + b"<p>more</p>" * 1000))
    assert capture(saved).status == "captured"
    assert read(ada, saved)["capture"]["error"] == "The page was cut off: it is longer than what is read of one."


# ---- Titles

NAMED = '<title>{0}</title><meta name="author" content="{0}"><meta name="description" content="{0}"><p>Words.</p>'


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Tide&nbsp;tables\u200b", "Tide tables"),
        ("\ufeffRock &amp;amp; Roll", "Rock & Roll"),
        ("AT&amp;T &lt;b&gt;", "AT&T <b>"),
    ],
)
def test_labels_are_stored_as_they_are_meant(ada: Api, site: LocalServer, label: str, shown: str) -> None:
    saved = save(ada, site, answer(NAMED.format(label)))
    assert capture(saved).status == "captured"
    found = read(ada, saved)
    assert (found["title"], found["author"], found["description"]) == (shown, shown, shown)
    assert (content(ada, saved)["title"], content(ada, saved)["byline"]) == (shown, shown)


def test_what_a_person_types_stays_as_it_was_typed(ada: Api, site: LocalServer) -> None:
    typed = {"title": "AT&amp;T &lt;b&gt;\xa0¶", "description": "Rock &amp;amp; Roll\u200b"}
    saved = save(ada, site, answer(PAGE), **typed)
    assert capture(saved).status == "captured"
    assert {name: read(ada, saved)[name] for name in typed} == typed


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("<h2>Worker pools<a href='#w'>¶</a></h2><p>They wait.</p>", "Worker pools"),
        ("<p>The lamp burns until the morning. Then not.</p>", "The lamp burns until the morning"),
        ("<meta name=description content=Lamps><div id=root></div>", "127.0.0.1/page"),
    ],
)
def test_no_captured_page_is_an_empty_line_in_lists(ada: Api, site: LocalServer, markup: str, title: str) -> None:
    saved = save(ada, site, answer(markup))
    assert capture(saved).status == "captured"
    assert ada.titles() == [title]
