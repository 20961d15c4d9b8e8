"""Reading single bookmarks: lookup, page content, neighbours in meaning."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.api import Api, field_errors
from tests.support.pages import add_page, add_vector
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.mark.parametrize(
    "asked",
    [
        "https://example.org/a?id=1&b=2",
        "http://www.example.org:80/a/?b=2&id=1&utm_source=x#top",
        " HTTPS://EXAMPLE.ORG/a?b=2&id=1 ",
    ],
)
def test_lookup_finds_any_spelling_of_the_link(ada: Api, asked: str) -> None:
    saved = ada.save("https://example.org/a?id=1&b=2")
    found = ada.get("/bookmarks/lookup", url=asked)
    assert (found.status_code, found.json) == (200, saved)


@pytest.mark.parametrize("asked", ["https://example.org/a?id=2&b=2", "https://example.org/", "https://bücher.example/"])
def test_lookup_of_another_link_is_404(ada: Api, asked: str) -> None:
    ada.save("https://example.org/a?id=1&b=2")
    assert ada.get("/bookmarks/lookup", url=asked).status_code == 404


def test_lookup_finds_hosts_in_other_scripts(ada: Api) -> None:
    saved = ada.save("https://bücher.example/ä")
    assert ada.get("/bookmarks/lookup", url="https://xn--bcher-kva.example/ä").json == saved


@pytest.mark.parametrize("query", [{}, {"url": ""}, {"url": "example.org"}, {"url": ["https://a.b", "https://c.d"]}])
def test_lookup_needs_one_url(ada: Api, query: dict[str, str]) -> None:
    assert set(field_errors(ada.get("/bookmarks/lookup", **query))) == {"query.url"}


def test_content_is_404_until_the_page_was_captured(ada: Api, context: Flask) -> None:
    saved = ada.save("https://example.org/a", title="My title")
    assert ada.get(f"/bookmarks/{saved['id']}/content").status_code == 404
    add_page(saved["id"], "Plain <words>", title="Page", byline="Ada", html="<p>Plain &lt;words&gt;</p>")
    answer = ada.get(f"/bookmarks/{saved['id']}/content")
    assert answer.status_code == 200
    assert answer.json.pop("captured_at").endswith("Z")
    assert {name: answer.json[name] for name in ("title", "byline", "text", "html", "word_count")} == {
        "title": "Page",
        "byline": "Ada",
        "text": "Plain <words>",
        "html": "<p>Plain &lt;words&gt;</p>",
        "word_count": 2,
    }
    assert ada.get(f"/bookmarks/{saved['id']}").json == saved


def test_similar_lists_neighbours_nearest_first(ada: Api, bob: Api, context: Flask) -> None:
    vectors = {
        "self": [1, 0, 0],
        "far": [0, 1, 0],
        "near": [0.9, 0.1, 0],
        "back": [-1, 0, 0],
        "archived": [0.8, 0.2, 0],
    }
    ids = {}
    for title, vector in vectors.items():
        ids[title] = ada.save(f"https://example.org/{title}", title=title, is_archived=title == "archived")["id"]
        add_vector(ids[title], vector)
    ada.save("https://example.org/none", title="has no vector")
    foreign = bob.save("https://example.org/bob")["id"]
    add_vector(foreign, [1, 0, 0])
    other_model = ada.save("https://example.org/model")["id"]
    add_vector(other_model, [1, 0, 0], model="another")
    answer = ada.get(f"/bookmarks/{ids['self']}/similar")
    assert answer.status_code == 200
    items = answer.json["items"]
    assert [item["bookmark"]["title"] for item in items] == ["near", "archived", "far", "back"]
    assert items[0]["score"] == pytest.approx(0.9 / (0.9**2 + 0.1**2) ** 0.5, abs=1e-5)
    assert items[-1]["score"] == pytest.approx(-1)
    assert items[0]["bookmark"] == ada.get(f"/bookmarks/{ids['near']}").json
    assert len(ada.get(f"/bookmarks/{ids['self']}/similar", limit=2).json["items"]) == 2


def test_similar_leaves_out_the_trash(ada: Api, context: Flask) -> None:
    one, other = (ada.save(f"https://example.org/{number}")["id"] for number in range(2))
    for id_ in (one, other):
        add_vector(id_, [1, 0, 0])
    ada.delete(f"/bookmarks/{other}")
    assert ada.get(f"/bookmarks/{one}/similar").json == {"items": []}


def test_similar_without_a_vector_is_empty_and_of_nothing_404(ada: Api) -> None:
    saved = ada.save("https://example.org/a")
    assert ada.get(f"/bookmarks/{saved['id']}/similar").json == {"items": []}
    assert ada.get("/bookmarks/999999/similar").status_code == 404


@pytest.mark.parametrize("limit", ["0", "51", "x", "-1"])
def test_similar_has_a_bounded_limit(ada: Api, limit: str) -> None:
    saved = ada.save("https://example.org/a")
    assert set(field_errors(ada.get(f"/bookmarks/{saved['id']}/similar", limit=limit))) == {"query.limit"}


@pytest.mark.parametrize("path", ["0", "-1", "1.5", "x", "01", "%00", "9" * 18, "9" * 30, "1%20", "٣"])
def test_what_is_no_id_is_404(ada: Api, path: str) -> None:
    for method, tail in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore"), ("GET", "/content")):
        answer = ada.request(method, f"/bookmarks/{path}{tail}", json={} if method == "PATCH" else None)
        assert answer.status_code == 404
        assert answer.content_type == "application/problem+json"


def test_recapture_is_202_with_a_job_and_its_address(ada: Api) -> None:
    saved = ada.save("https://example.org/a")
    answer = ada.post(f"/bookmarks/{saved['id']}/capture")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json['id']}"
    assert answer.json["status"] == "queued"
    assert answer.json["kind"] == "capture"
    assert ada.get(f"/bookmarks/{saved['id']}").json["capture"]["status"] == "pending"
    assert ada.get(answer.headers["Location"]).json == answer.json


def test_reading_time_is_rounded_up(ada: Api, context: Flask) -> None:
    saved = ada.save("https://example.org/a")
    add_page(saved["id"], "word " * 239, update_bookmark=True)
    bookmark = ada.get(f"/bookmarks/{saved['id']}").json
    assert [bookmark["word_count"], bookmark["reading_minutes"]] == [239, 2]


def test_a_link_in_a_body_is_looked_up_like_one_in_the_address(ada: Api, bob: Api, sql: SqlCounter) -> None:
    saved = ada.save("https://example.org/a?b=1")
    spelt = {"url": " http://www.EXAMPLE.org/a/?b=1&utm_source=x#top "}
    assert ada.post("/bookmarks/lookup", spelt).json == saved
    assert bob.post("/bookmarks/lookup", spelt).status_code == 404
    assert field_errors(ada.post("/bookmarks/lookup", {"url": "nowhere"})) == {"body.url": "value_error"}
    script = {"name": "script", "scopes": ["bookmarks:read"]}
    assert (
        Api(ada.app, token=ada.post("/auth/tokens", script).json["token"]).post("/bookmarks/lookup", spelt).json
        == saved
    )
    ada.get("/bookmarks")
    assert ada.post("/bookmarks/lookup", spelt, headers={"Idempotency-Key": "one"}).json == saved
    with sql.at_most(0):
        assert ada.get("/bookmarks").json["total"] == 1
