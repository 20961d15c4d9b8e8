"""Where titles and descriptions come from: what a capture, an edited link or another save may change of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import text

from backend.ai.embeddings.provider import Vectors
from backend.capture.extract.indexed_page import read_page
from backend.capture.extract.page import UnreadablePage
from backend.capture.fetch import fetch_page
from backend.capture.service import fetch_policy, store_outcome
from backend.extensions import current_settings, db
from backend.index.embeddings import embed_next_batch
from backend.jobs.queue import depth, rq_queue
from backend.redis.client import redis_client
from tests.capture.local_server import LocalServer, response, running
from tests.capture.waiting import READ_ALL, capture, claim
from tests.support.api import Api
from tests.support.sql import SqlCounter

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
    for path in ("", "/content"):  # Cached from now on.
        ada.get(f"/bookmarks/{id_}{path}")
    changed = ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")}).json
    assert (changed["title"], changed["description"]) == expected(title, description, ("", ""))
    assert set(shows(changed)) == {None}
    assert changed["capture"] == {"status": "pending", "error": None, "captured_at": None, "attempts": 0}
    assert ada.get(f"/bookmarks/{id_}").json == changed
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


# The link changes, or is asked for again, while its page is being read.


def reading(app: Flask, site: LocalServer, meanwhile: Callable[[], object]) -> None:
    """Lets the next reading of the page do something before it is answered."""

    def answer(connection: Any) -> None:
        site.answers["/page"] = page(*REAL)
        with app.app_context():
            meanwhile()
            db.session.remove()
        connection.sendall(page(*ROBOT))

    site.answers["/page"] = answer


@pytest.mark.parametrize(
    "body",
    [{}, {"title": "Mine"}, {"capture": False}],
    ids=["another link", "another link with a title", "another link that is not read"],
)
def test_a_page_that_is_being_read_is_not_stored_under_another_link(
    context: Flask, ada: Api, site: LocalServer, body: dict[str, Any]
) -> None:
    id_ = left_open(ada, site.url("/page"))
    reading(context, site, lambda: ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other"), **body}))
    assert capture(id_).status != "captured"
    assert texts(ada, id_) == (body.get("title", ""), "")
    assert ada.get(f"/bookmarks/{id_}/content").status_code == 404
    assert ada.get(f"/bookmarks/{id_}").json["capture"]["attempts"] == 0
    if "capture" not in body:
        capture_now(id_)
        assert texts(ada, id_) == (body.get("title", "Moon"), OTHER[1])


def test_a_page_that_was_being_read_is_not_stored_when_its_link_comes_back(
    context: Flask, ada: Api, site: LocalServer
) -> None:
    id_ = left_open(ada, site.url("/page"))

    def there_and_back() -> None:
        for path in ("/other", "/page"):
            assert ada.patch(f"/bookmarks/{id_}", {"url": site.url(path)}).status_code == 200

    reading(context, site, there_and_back)
    assert capture(id_).status != "captured"
    assert texts(ada, id_) == ("", "")
    capture_now(id_)
    assert texts(ada, id_) == REAL


def test_who_claimed_a_link_before_it_went_and_came_back_writes_nothing_after_the_next_claim(
    context: Flask, ada: Api, site: LocalServer
) -> None:
    id_ = left_open(ada, site.url("/page"))
    [early] = claim(READ_ALL)
    policy = fetch_policy(current_settings())
    before = read_page(fetch_page(early.url, policy), None)
    for path in ("/other", "/page"):
        ada.patch(f"/bookmarks/{id_}", {"url": site.url(path)})
    site.answers["/page"] = page(*REAL)
    [late] = claim(READ_ALL)
    assert (late.url, late.attempt) == (early.url, early.attempt)
    assert store_outcome(early, before).status == "gone"
    assert store_outcome(early, UnreadablePage("It was empty.")).status == "gone"
    assert ada.get(f"/bookmarks/{id_}").json["capture"]["status"] == "pending"
    assert store_outcome(late, read_page(fetch_page(late.url, policy), None)).status == "captured"
    assert texts(ada, id_) == REAL


def test_the_job_that_watches_ends_if_the_new_link_is_not_captured(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = captured(ada, site.url("/page"))
    job = ada.post(f"/bookmarks/{id_}/capture").json
    ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")})
    assert ada.get(f"/jobs/{job['id']}").json["status"] == "queued"
    ada.patch(f"/bookmarks/{id_}", {"url": site.url("/page"), "capture": False})
    ended = ada.get(f"/jobs/{job['id']}").json
    assert (ended["status"], ended["result"]["status"]) == ("succeeded", "skipped")


@pytest.mark.parametrize(("path", "status"), [("/gone", 410), ("/busy", 503)])
def test_a_failure_at_the_old_link_is_not_said_of_the_new_one(
    context: Flask, ada: Api, site: LocalServer, path: str, status: int
) -> None:
    id_ = left_open(ada, site.url(path))

    def answer(connection: Any) -> None:
        with context.app_context():
            ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other")})
            db.session.remove()
        connection.sendall(response(status))

    site.answers[path] = answer
    capture(id_)
    found = ada.get(f"/bookmarks/{id_}").json["capture"]
    assert (found["status"], found["error"], found["attempts"]) == ("pending", None, 0)
    capture_now(id_)


def test_what_is_typed_while_the_page_is_read_stays(context: Flask, ada: Api, site: LocalServer) -> None:
    id_ = left_open(ada, site.url("/page"))
    reading(context, site, lambda: ada.patch(f"/bookmarks/{id_}", {"title": "Mine"}))
    capture_now(id_)
    assert texts(ada, id_) == ("Mine", ROBOT[1])


def test_an_edited_link_is_captured_without_waiting_for_the_scheduler(
    context: Flask, ada: Api, site: LocalServer
) -> None:
    id_ = ada.save(site.url("/page"))["id"]
    redis_client().flushall()
    ada.patch(f"/bookmarks/{id_}", {"url": site.url("/other"), "capture": False})
    assert captures_sent() == 0
    ada.patch(f"/bookmarks/{id_}", {"url": site.url("/page")})
    assert captures_sent() == 1


def captures_sent() -> int:
    return len(rq_queue("capture").get_jobs())


# Saving again.


def test_saving_again_sets_the_marks_that_are_sent_and_takes_none_away(ada: Api) -> None:
    marks = ("is_read", "is_favorite", "is_archived")
    ada.save("https://example.org/", is_read=True)
    merged = ada.post("/bookmarks", {"url": "https://example.org/", "is_read": False, "is_favorite": True}).json
    assert [merged[name] for name in marks] == [True, True, False]
    assert ada.get("/bookmarks", is_favorite="true").json["total"] == 1
    item = {"url": "https://example.org/", "is_archived": True}
    assert ada.post("/bookmarks/bulk", {"items": [item]}).json["duplicates"] == 1
    assert ada.get("/bookmarks").json["total"] == 0
    [merged] = ada.get("/bookmarks", is_archived="true").json["items"]
    assert [merged[name] for name in marks] == [True, True, True]


@pytest.mark.parametrize("policy", ["keep", "error"])
def test_what_is_not_merged_stays_as_it_is(context: Flask, ada: Api, site: LocalServer, policy: str) -> None:
    id_ = left_open(ada, site.url("/gone"))
    assert capture(id_).status == "failed"
    before = ada.get(f"/bookmarks/{id_}").json
    redis_client().flushall()
    ada.post(f"/bookmarks?on_duplicate={policy}", {"url": site.url("/gone"), "title": "T", "is_favorite": True})
    item = {"url": site.url("/gone"), "title": "T", "is_read": True}
    ada.post(f"/bookmarks/bulk?on_duplicate={policy}", {"items": [item]})
    assert ada.get(f"/bookmarks/{id_}").json == before
    assert captures_sent() == 0


@pytest.mark.parametrize("path", ["/bookmarks", "/bookmarks/bulk"])
def test_saving_again_has_a_failed_capture_tried_again(context: Flask, ada: Api, site: LocalServer, path: str) -> None:
    id_ = left_open(ada, site.url("/gone"))
    assert capture(id_).status == "failed"
    redis_client().flushall()
    for asks, sent in ((False, 0), (True, 1)):
        item = {"url": site.url("/gone"), "capture": asks}
        assert ada.post(path, item if path == "/bookmarks" else {"items": [item]}).status_code == 200
        assert captures_sent() == sent
    found = ada.get(f"/bookmarks/{id_}").json["capture"]
    assert (found["status"], found["error"], found["attempts"]) == ("pending", None, 0)
    site.answers["/gone"] = page(*REAL)
    capture_now(id_)
    assert texts(ada, id_) == REAL


def test_saving_again_captures_what_was_saved_without_only_if_that_is_said(
    context: Flask, ada: Api, site: LocalServer
) -> None:
    id_ = ada.save(site.url("/page"))["id"]
    for body, status in (({}, "skipped"), ({"capture": True}, "pending")):
        merged = ada.post("/bookmarks", {"url": site.url("/page"), **body}).json
        assert merged["capture"]["status"] == status
    capture_now(id_)
    assert ada.post("/bookmarks", {"url": site.url("/page"), "capture": True}).json["capture"]["status"] == "captured"


def test_what_cannot_be_read_is_not_tried_again_by_saving_it_again(context: Flask, ada: Api, site: LocalServer) -> None:
    site.answers["/picture"] = response(200, b"\x89PNG", content_type="image/png")
    id_ = left_open(ada, site.url("/picture"))
    assert capture(id_).status == "skipped"
    merged = ada.post("/bookmarks", {"url": site.url("/picture"), "capture": True}).json
    assert merged["capture"]["status"] == "skipped"


def test_one_request_that_names_a_link_twice_means_all_that_it_says(ada: Api) -> None:
    items = [
        {"url": "https://example.org/", "capture": False},
        {"url": "https://www.example.org/", "title": "Theirs", "is_favorite": True, "capture": True},
    ]
    answer = ada.post("/bookmarks/bulk", {"items": items}).json
    assert (answer["created"], answer["duplicates"]) == (1, 1)
    [saved] = ada.get("/bookmarks").json["items"]
    assert (saved["title"], saved["is_favorite"], saved["capture"]["status"]) == ("Theirs", True, "pending")


@pytest.mark.parametrize(
    ("path", "title"), [("/bookmarks", "Again"), ("/bookmarks/bulk", "")], ids=["a person", "an import"]
)
def test_what_a_person_has_emptied_only_a_person_fills_by_saving_again(ada: Api, path: str, title: str) -> None:
    id_ = cleared(ada, "https://example.org/")
    item = {"url": "https://example.org/", "title": "Again"}
    assert ada.post(path, item if path == "/bookmarks" else {"items": [item]}).status_code == 200
    assert texts(ada, id_) == (title, "")


def test_what_saving_again_fills_is_embedded_without_waiting_for_the_scheduler(context: Flask, ada: Api) -> None:
    ada.save("https://example.org/", title="Mine")
    redis_client().flushall()
    ada.post("/bookmarks", {"url": "https://example.org/", "tags": ["more"]})
    assert depth() == 0
    ada.post("/bookmarks", {"url": "https://example.org/", "notes": "More"})
    assert depth() == 1


# One statement each for who asks, the lock, whether the link is taken, what goes, the change, and the search document.
def test_another_link_takes_eight_statements(ada: Api, sql: SqlCounter) -> None:
    saved = ada.save("https://example.org/a", title="Mine", tags=["t"])
    with sql.at_most(8):
        assert ada.patch(f"/bookmarks/{saved['id']}", {"url": "https://example.org/b"}).status_code == 200
    with sql.at_most(6):
        assert ada.patch(f"/bookmarks/{saved['id']}", {"title": "New"}).status_code == 200
