"""Two organizations side by side: neither sees, finds, counts or changes what is the other's (R-AUTH 4)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.support.api import Api
from tests.support.pages import add_page, add_vector

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
URL = "https://example.org/shared"


@pytest.fixture
def bobs(ada: Api, bob: Api, context: Flask) -> dict[str, Any]:
    """A bookmark of Bob's with a tag, a page, a vector and a job; Ada has another link."""
    saved = bob.save(URL, title="Secret walrus", tags=["walrus"], notes="walrus")
    add_page(saved["id"], "walrus")
    add_vector(saved["id"], [1, 0, 0])
    job = bob.post(f"/bookmarks/{saved['id']}/capture").json
    ada.save("https://example.org/own", title="mine")
    bookmark = bob.get(f"/bookmarks/{saved['id']}").json
    return {"bookmark": bookmark, "tag": bob.get("/tags").json["items"][0], "job": job}


def test_every_route_with_an_id_answers_as_if_it_never_was(ada: Api, bob: Api, bobs: dict[str, Any]) -> None:
    bookmark, tag, job = (bobs[name]["id"] for name in ("bookmark", "tag", "job"))
    own_tag = ada.save("https://example.org/tagged", tags=["mine"])["id"] and ada.get("/tags").json["items"][0]["id"]
    routes: list[tuple[str, str, Any, Any]] = [
        ("GET", "/bookmarks/{}", bookmark, None),
        ("PATCH", "/bookmarks/{}", bookmark, {"title": "x"}),
        ("PATCH", "/bookmarks/{}", bookmark, {"url": "https://example.org/own"}),
        ("DELETE", "/bookmarks/{}", bookmark, None),
        ("DELETE", "/bookmarks/{}?permanent=true", bookmark, None),
        ("POST", "/bookmarks/{}/restore", bookmark, None),
        ("POST", "/bookmarks/{}/capture", bookmark, None),
        ("GET", "/bookmarks/{}/content", bookmark, None),
        ("GET", "/bookmarks/{}/similar", bookmark, None),
        ("PATCH", "/tags/{}", tag, {"name": "x"}),
        ("POST", "/tags/{}/merge", tag, {"into_id": own_tag}),
        ("DELETE", "/tags/{}", tag, None),
        ("GET", "/jobs/{}", job, None),
        ("DELETE", "/jobs/{}", job, None),
    ]
    for method, path, id_, body in routes:
        never = "00000000-0000-4000-8000-000000000000" if id_ == job else 999_999
        answers = [ada.request(method, path.format(which), json=body) for which in (id_, never)]
        assert [answer.status_code for answer in answers] == [404, 404], (method, path)
        foreign, missing = ({**answer.json, "instance": "", "request_id": ""} for answer in answers)
        assert foreign == missing
    assert bob.get(f"/bookmarks/{bookmark}").json == bobs["bookmark"]
    assert bob.get(f"/jobs/{job}").json == bobs["job"]
    assert bob.get("/tags").json["items"] == [bobs["tag"]]


def test_no_list_or_search_shows_it(ada: Api, bobs: dict[str, Any]) -> None:
    assert ada.titles() == ada.titles(domain="example.org") == ["mine"]
    assert ada.titles(q="walrus") == ada.titles(tag="walrus") == ada.titles(deleted="true") == []
    assert ada.get("/tags").json["total"] == ada.get("/tags", q="wal").json["total"] == 0
    assert ada.get("/jobs").json["total"] == 0
    assert ada.get("/bookmarks/lookup", url=URL).status_code == 404
    for mode in ("text", "semantic", "hybrid"):
        assert ada.get("/search", q="walrus", mode=mode).json["total"] == 0


def test_the_same_link_and_tag_are_new_to_the_other(ada: Api, bob: Api, bobs: dict[str, Any]) -> None:
    saved = ada.save(URL, tags=["Walrus"])
    assert [saved["title"], saved["tags"]] == ["", ["Walrus"]]
    assert ada.get("/tags").json["items"][0]["bookmark_count"] == 1
    assert bob.get(f"/bookmarks/{bobs['bookmark']['id']}").json == bobs["bookmark"]


def test_bulk_and_actions_stay_at_home(ada: Api, bob: Api, bobs: dict[str, Any]) -> None:
    answer = ada.post("/bookmarks/bulk", {"items": [{"url": URL, "title": "Mine", "tags": ["walrus"]}]}).json
    assert answer["created"] == 1
    for action in ("archive", "add_tags", "remove_tags", "capture", "delete"):
        tags = {"tags": ["walrus"]} if "tags" in action else {}
        ada.post("/bookmarks/actions", {"action": action, "filter": {"is_archived": "any"}, **tags})
    assert bob.get(f"/bookmarks/{bobs['bookmark']['id']}").json == bobs["bookmark"]


def test_a_cursor_of_the_other_shows_only_what_is_ones_own(ada: Api, bob: Api) -> None:
    for place in range(3):
        bob.save(f"https://example.org/{place}", title="his")
        ada.save(f"https://example.org/{place}", title="mine")
    cursor = bob.get("/bookmarks", page_size=1).json["next_cursor"]
    assert set(ada.titles(cursor=cursor)) <= {"mine"}


def test_the_organization_of_the_other_is_404(ada: Api, bob: Api, bobs: dict[str, Any]) -> None:
    header = {"X-Organization-ID": str(bob.organization_id)}
    for method, path in (("GET", "/bookmarks"), ("POST", "/bookmarks"), ("GET", "/tags"), ("GET", "/search?q=walrus")):
        answer = ada.request(method, path, headers=header, json={"url": URL} if method == "POST" else None)
        assert answer.status_code == 404
