"""Where titles and descriptions come from: what a capture, an edited link or another save may change of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import text

from backend.ai.embeddings.provider import Vectors
from backend.bookmarks.capture.service import capture
from backend.bookmarks.embedding import embed_next_batch
from backend.extensions import db
from tests.api import Api
from tests.bookmarks.capture.local_server import LocalServer, response, running

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]

ROBOT, REAL, OTHER = ("Are you a robot?", "Please wait"), ("Tide tables", "Of the harbour"), ("Moon", "And its phases")


def page(title: str, description: str) -> bytes:
    body = f"""<html lang="en"><head><title>{title}</title><meta name="description" content="{description}">
    <meta name="author" content="Author of {title}"><meta property="og:image" content="https://example.org/{title}.png">
    </head><body><article><p>{title}: a page of several words, which is long enough to be read and to be found again.
    </p></article></body></html>"""
    return response(200, body.encode(), content_type="text/html; charset=utf-8")


@pytest.fixture
def site() -> Iterator[LocalServer]:
    with running("127.0.0.1") as server:
        server.answers |= {"/page": page(*ROBOT), "/other": page(*OTHER)}
        yield server


def capture_now(bookmark_id: int) -> None:
    assert capture(bookmark_id).status == "captured"


def texts(api: Api, bookmark_id: int) -> tuple[str, str]:
    found = api.get(f"/bookmarks/{bookmark_id}").json
    return found["title"], found["description"]


def shows(bookmark: dict[str, Any]) -> tuple[Any, ...]:
    """What came from the page beside its title and description."""
    names = ("site_name", "author", "published_at", "image_url", "language", "word_count", "reading_minutes")
    return (*(bookmark[name] for name in names), bookmark["capture"]["captured_at"])


# How a bookmark comes by its title and description, and which of them are no page's.


def left_open(api: Api, url: str) -> int:
    return int(api.save(url, capture=True)["id"])


def sent_empty(api: Api, url: str) -> int:
    return int(api.save(url, title="", description="", capture=True)["id"])


def typed(api: Api, url: str) -> int:
    return int(api.save(url, title="Mine", description="My words", capture=True)["id"])


def title_typed(api: Api, url: str) -> int:
    return int(api.save(url, title="Mine", capture=True)["id"])


def typed_later(api: Api, url: str) -> int:
    id_ = left_open(api, url)
    assert api.patch(f"/bookmarks/{id_}", {"title": "Mine", "description": "My words"}).status_code == 200
    return id_


def cleared(api: Api, url: str) -> int:
    id_ = typed(api, url)
    assert api.patch(f"/bookmarks/{id_}", {"title": "", "description": ""}).status_code == 200
    return id_


def imported(api: Api, url: str) -> int:
    item = {"url": url, "title": "Theirs", "description": "Their words"}
    return int(api.post("/bookmarks/bulk", {"items": [item]}).json["results"][0]["id"])


def imported_bare(api: Api, url: str) -> int:
    return int(api.post("/bookmarks/bulk", {"items": [{"url": url}]}).json["results"][0]["id"])


def merged(api: Api, url: str) -> int:
    id_ = left_open(api, url)
    body = {"url": url, "title": "Mine", "description": "My words"}
    assert api.post("/bookmarks", body).status_code == 200
    return id_


def captured(api: Api, url: str) -> int:
    id_ = left_open(api, url)
    capture_now(id_)
    return id_


def captured_and_cleared(api: Api, url: str) -> int:
    id_ = captured(api, url)
    assert api.patch(f"/bookmarks/{id_}", {"title": "", "description": ""}).status_code == 200
    return id_


def captured_and_typed(api: Api, url: str) -> int:
    id_ = captured(api, url)
    assert api.patch(f"/bookmarks/{id_}", {"title": "Mine", "description": "My words"}).status_code == 200
    return id_


def captured_and_written_back(api: Api, url: str) -> int:
    id_ = captured(api, url)
    found = api.get(f"/bookmarks/{id_}").json
    names = ("url", "title", "description", "notes", "tags", "is_read", "is_favorite", "is_archived", "created_at")
    body = {name: found[name] for name in names} | {"is_read": True}
    assert api.patch(f"/bookmarks/{id_}", body).json["capture"]["status"] == "captured"
    return id_


def captured_again(api: Api, url: str) -> int:
    id_ = captured(api, url)
    assert api.post(f"/bookmarks/{id_}/capture").status_code == 202
    capture_now(id_)
    return id_


# None where the page's words are to be seen.
ORIGINS: list[tuple[Callable[[Api, str], int], str | None, str | None]] = [
    (left_open, None, None),
    (sent_empty, None, None),
    (typed, "Mine", "My words"),
    (title_typed, "Mine", None),
    (typed_later, "Mine", "My words"),
    (cleared, "", ""),
    (imported, "Theirs", "Their words"),
    (imported_bare, None, None),
    (merged, "Mine", "My words"),
    (captured, None, None),
    (captured_and_cleared, "", ""),
    (captured_and_typed, "Mine", "My words"),
    (captured_and_written_back, None, None),
    (captured_again, None, None),
]
of_each_origin = pytest.mark.parametrize(("origin", "title", "description"), ORIGINS)


def expected(title: str | None, description: str | None, found: tuple[str, str]) -> tuple[str, str]:
    return found[0] if title is None else title, found[1] if description is None else description


@of_each_origin
def test_a_capture_sets_and_refreshes_what_nobody_gave(
    context: Flask, ada: Api, site: LocalServer, origin: Any, title: str | None, description: str | None
) -> None:
    id_ = origin(ada, site.url("/page"))
    if ada.get(f"/bookmarks/{id_}").json["capture"]["status"] == "pending":
        capture_now(id_)
    assert texts(ada, id_) == expected(title, description, ROBOT)
    site.answers["/page"] = page(*REAL)
    assert ada.post(f"/bookmarks/{id_}/capture").status_code == 202
    capture_now(id_)
    assert texts(ada, id_) == expected(title, description, REAL)
    assert ada.get(f"/bookmarks/{id_}").json["author"] == "Author of Tide tables"


@of_each_origin
@pytest.mark.parametrize("was_captured", [False, True])
def test_another_link_loses_what_its_old_page_said_and_keeps_what_was_given(
    context: Flask,
    ada: Api,
    site: LocalServer,
    origin: Any,
    title: str | None,
    description: str | None,
    was_captured: bool,
) -> None:
    id_ = origin(ada, site.url("/page"))
    if was_captured and ada.get(f"/bookmarks/{id_}").json["capture"]["status"] == "pending":
        capture_now(id_)
    changed = ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")}).json
    assert (changed["title"], changed["description"]) == expected(title, description, ("", ""))
    assert set(shows(changed)) == {None}
    assert changed["capture"] == {"status": "pending", "error": None, "captured_at": None, "attempts": 0}
    assert ada.get(f"/bookmarks/{id_}/content").status_code == 404
    capture_now(id_)
    assert texts(ada, id_) == expected(title, description, OTHER)
    assert ada.get(f"/bookmarks/{id_}").json["author"] == "Author of Moon"


def test_what_a_page_no_longer_says_goes_with_the_next_capture(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = captured(ada, site.url("/page"))
    site.answers["/page"] = page("Tide tables", "")
    ada.post(f"/bookmarks/{id_}/capture")
    capture_now(id_)
    assert texts(ada, id_) == ("Tide tables", "")


def test_a_failed_capture_leaves_what_an_earlier_one_found(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = captured(ada, site.url("/page"))
    site.answers["/page"] = response(410)
    ada.post(f"/bookmarks/{id_}/capture")
    assert capture(id_).status == "failed"
    assert texts(ada, id_) == ROBOT
    assert ada.get(f"/bookmarks/{id_}/content").json["title"] == ROBOT[0]


def test_a_list_sorts_by_the_title_that_is_seen(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = captured(ada, site.url("/page"))
    ada.save("https://example.org/", title="bbb")
    assert ada.titles(sort="title") == [ROBOT[0], "bbb"]
    ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")})
    assert ada.titles(sort="title") == ["", "bbb"]
    capture_now(id_)
    assert ada.titles(sort="title") == ["bbb", "Moon"]


# Another link.


def test_nothing_finds_another_link_by_its_old_page(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = captured(ada, site.url("/page"))
    assert ada.get("/search", q="robot", mode="text").json["total"] == 1
    assert ada.get("/bookmarks", q="lang:en").json["total"] == 1
    ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")})
    assert ada.get("/search", q="robot", mode="text").json["total"] == 0
    assert ada.get("/bookmarks", q="robot").json["total"] == 0
    assert ada.get("/bookmarks", q="lang:en").json["total"] == 0
    capture_now(id_)
    assert ada.get("/search", q="robot", mode="text").json["total"] == 0
    assert ada.get("/search", q="moon", mode="text").json["total"] == 1


def test_another_link_is_not_read_if_it_is_said_so(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = captured(ada, site.url("/page"))
    changed = ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other"), "capture": False}).json
    assert (changed["title"], set(shows(changed))) == ("", {None})
    assert (changed["capture"]["status"], changed["capture"]["attempts"]) == ("skipped", 0)
    assert capture(id_).status == "skipped"
    assert ada.get("/bookmarks", capture_status="skipped").json["total"] == 1
    assert site.paths == ["/page"]


def test_a_corrected_link_is_no_longer_broken(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = left_open(ada, site.url("/pgae"))
    assert capture(id_).status == "failed"
    assert ada.get("/bookmarks", q="is:broken").json["total"] == 1
    changed = ada.patch(f"/bookmarks/{id_}", {"url": site.url("/page")}).json
    assert (changed["capture"]["status"], changed["capture"]["error"]) == ("pending", None)
    assert ada.get("/bookmarks", q="is:broken").json["total"] == 0
    capture_now(id_)
    assert texts(ada, id_) == ROBOT


def test_a_link_that_is_only_spelt_otherwise_is_read_again_and_keeps_its_page(
    context: Flask, ada: Api, site: LocalServer
) -> None:
    id_ = captured(ada, site.url("/page"))
    site.answers["/page/"] = page(*REAL)
    changed = ada.patch(f"/bookmarks/{id_}", {"url": site.url("/page/")}).json
    assert (changed["title"], changed["author"]) == (ROBOT[0], "Author of Are you a robot?")
    assert changed["capture"]["status"] == "pending"
    assert ada.get(f"/bookmarks/{id_}/content").json["title"] == ROBOT[0]
    capture_now(id_)
    assert texts(ada, id_) == REAL


def test_texts_that_come_with_another_link_are_the_persons_unless_they_are_the_old_pages(
    context: Flask, ada: Api, site: LocalServer
) -> None:
    id_ = captured(ada, site.url("/page"))
    form = {"url": site.url("/other"), "title": ROBOT[0], "description": "My words"}
    changed = ada.patch(f"/bookmarks/{id_}", form).json
    assert (changed["title"], changed["description"]) == ("", "My words")
    capture_now(id_)
    assert texts(ada, id_) == ("Moon", "My words")


def test_a_link_that_is_taken_changes_nothing(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = captured(ada, site.url("/page"))
    ada.save(site.url("/other"))
    before = ada.get(f"/bookmarks/{id_}").json
    assert ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")}).status_code == 409
    assert ada.get(f"/bookmarks/{id_}").json == before
    assert ada.get(f"/bookmarks/{id_}/content").status_code == 200


class OneDirection:
    """A provider whose vectors are all the same; it does something else while it makes them."""

    model, dimension = "one-direction", 384

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.meanwhile = meanwhile

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.meanwhile()
        return np.full((len(texts), self.dimension), self.dimension**-0.5, dtype=np.float32)


def vectors(bookmark_id: int) -> tuple[int, bool]:
    """How many vectors a bookmark has, and whether it waits for one."""
    row = db.session.execute(
        text("""
            SELECT (SELECT count(*) FROM bookmark_embeddings e WHERE e.bookmark_id = b.id), embedding_due_at IS NOT NULL
              FROM bookmarks b WHERE id = :id
        """),
        {"id": bookmark_id},
    ).one()
    db.session.rollback()
    return tuple(row)


@pytest.mark.parametrize(("body", "waits"), [({}, False), ({"capture": False}, True)])
def test_another_link_has_no_vector_until_there_is_a_new_one(
    context: Flask, ada: Api, site: LocalServer, body: dict[str, bool], waits: bool
) -> None:
    id_ = captured(ada, site.url("/page"))
    embed_next_batch(OneDirection())
    assert vectors(id_) == (1, False)
    ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other"), "title": "Mine", **body})
    # A capture asks for it when it ends.
    assert vectors(id_) == (0, waits)


def test_a_vector_of_the_old_page_is_not_stored_after_the_link_was_changed(
    context: Flask, ada: Api, site: LocalServer
) -> None:
    id_ = captured(ada, site.url("/page"))
    embed_next_batch(OneDirection(lambda: ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")})))
    assert vectors(id_) == (0, False)
    capture_now(id_)
    assert vectors(id_) == (0, True)
    embed_next_batch(OneDirection())
    assert vectors(id_) == (1, False)
