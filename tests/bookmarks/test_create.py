"""Saving one link: POST /bookmarks."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
URL = "https://example.org/a"
FIELDS = {
    "id", "url", "title", "description", "notes", "tags", "domain", "site_name", "author", "published_at", "image_url",
    "language", "word_count", "reading_minutes", "is_read", "is_favorite", "is_archived", "capture", "project_ids",
    "created_at", "updated_at", "deleted_at", "truncated",
}  # fmt: skip


def test_a_new_link_is_201_with_every_field_and_its_address(ada: Api) -> None:
    response = ada.post("/bookmarks", {"url": URL})
    assert response.status_code == 201
    bookmark = response.json
    assert set(bookmark) == FIELDS
    assert bookmark["url"] == URL
    assert bookmark["domain"] == "example.org"
    assert [bookmark[name] for name in ("title", "description", "notes")] == ["", "", ""]
    assert [bookmark[name] for name in ("is_read", "is_favorite", "is_archived")] == [False, False, False]
    assert bookmark["tags"] == bookmark["project_ids"] == []
    assert bookmark["capture"] == {"status": "pending", "error": None, "captured_at": None, "attempts": 0}
    assert bookmark["created_at"].endswith("Z")
    assert bookmark["updated_at"].endswith("Z")
    assert bookmark["deleted_at"] is None
    assert response.headers["Location"] == f"/api/v1/bookmarks/{bookmark['id']}"
    assert ada.get(response.headers["Location"]).json == bookmark


def test_everything_that_is_given_comes_back(ada: Api) -> None:
    given = {
        "url": "http://WWW.Example.org:80/A?b=1#c",
        "title": " A title ",
        "description": "two\nlines",
        "notes": "\tmine",
        "tags": ["zebra", "Ant", "bee"],
        "is_read": True,
        "is_favorite": True,
        "is_archived": True,
        "created_at": "2020-02-29T12:30:00.123456Z",
    }
    saved = ada.save(**given)
    assert {name: saved[name] for name in given} == given
    assert saved["capture"]["status"] == "skipped"


def test_the_time_of_saving_may_come_in_any_zone_and_goes_out_in_utc(ada: Api) -> None:
    assert ada.save(URL, created_at="2020-01-01T00:30:00+01:00")["created_at"] == "2019-12-31T23:30:00Z"


def test_blanks_around_the_url_are_dropped(ada: Api) -> None:
    assert ada.save(f" \t\r\n{URL} \n")["url"] == URL


@pytest.mark.parametrize("again", [URL, "http://www.example.org/a/?utm_source=mail#top"])
def test_the_same_link_is_200_with_the_one_that_is_there(ada: Api, again: str) -> None:
    saved = ada.save(URL, title="First")
    response = ada.post("/bookmarks", {"url": again, "title": "Second"})
    assert response.status_code == 200
    assert response.json["id"] == saved["id"]
    assert response.json["url"] == URL
    assert response.json["title"] == "First"
    assert response.headers["Location"] == f"/api/v1/bookmarks/{saved['id']}"
    assert ada.get("/bookmarks").json["total"] == 1


def test_merging_unites_tags_ignoring_case_and_keeps_their_order(ada: Api) -> None:
    ada.save(URL, tags=["Python", "web"])
    merged = ada.post("/bookmarks", {"url": URL, "tags": ["new", "WEB", "pYTHON", "last"]})
    assert merged.json["tags"] == ["Python", "web", "new", "last"]


def test_merging_fills_empty_fields_sets_marks_and_keeps_the_others(ada: Api) -> None:
    saved = ada.save(URL, title="Mine", is_read=True)
    more = {"title": "Other", "description": "Filled", "notes": "Also", "is_read": False, "is_favorite": True}
    merged = ada.post("/bookmarks", {"url": URL, **more, "created_at": "2001-01-01T00:00:00Z"}).json
    assert [merged[name] for name in ("title", "description", "notes")] == ["Mine", "Filled", "Also"]
    assert [merged["is_read"], merged["is_favorite"], merged["is_archived"]] == [True, True, False]
    assert merged["created_at"] == saved["created_at"]


def test_a_title_that_merging_fills_is_found_and_sorted_by(ada: Api) -> None:
    ada.save("https://example.org/b", title="beta")
    ada.save(URL)
    ada.post("/bookmarks", {"url": URL, "title": "Alpha"})
    assert ada.titles(sort="title") == ["Alpha", "beta"]
    assert ada.titles(q="alpha") == ["Alpha"]


@pytest.mark.parametrize(("more", "due"), [({"notes": "new"}, True), ({"title": "other", "tags": ["t"]}, False)])
def test_a_merge_asks_for_a_new_vector_only_if_it_adds_words(
    ada: Api, context: Flask, more: dict[str, Any], due: bool
) -> None:
    """Also while a worker makes one: its claim lies in the future."""
    ada.save(URL, title="Mine")
    db.session.execute(text("UPDATE bookmarks SET embedding_due_at = now() + interval '10 minutes'"))
    db.session.commit()
    assert ada.post("/bookmarks", {"url": URL, **more}).status_code == 200
    assert db.session.scalar(text("SELECT embedding_due_at <= now() FROM bookmarks")) == due


def test_keeping_changes_nothing(ada: Api) -> None:
    saved = ada.save(URL, tags=["a"])
    kept = ada.post("/bookmarks?on_duplicate=keep", {"url": URL, "title": "New", "tags": ["b"]})
    assert kept.status_code == 200
    assert kept.json == saved
    assert [tag["name"] for tag in ada.get("/tags").json["items"]] == ["a"]


def test_refusing_is_409_with_the_id_of_the_one_that_is_there(ada: Api) -> None:
    saved = ada.save(URL)
    refused = ada.post("/bookmarks?on_duplicate=error", {"url": URL, "title": "New"})
    assert refused.status_code == 409
    assert refused.json["existing_id"] == saved["id"]
    assert refused.content_type == "application/problem+json"
    assert ada.get(f"/bookmarks/{saved['id']}").json == saved


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", {}, 200),
        ("?on_duplicate=merge", {}, 200),
        ("?on_duplicate=error", {}, 409),
        ("", {"on_duplicate": "error"}, 409),
        ("", {"on_duplicate": None}, 200),
        ("?on_duplicate=error", {"on_duplicate": "keep"}, 409),
        ("?on_duplicate=keep", {"on_duplicate": "error"}, 200),
    ],
)
def test_what_becomes_of_a_duplicate_is_said_in_query_or_body_and_the_query_wins(
    ada: Api, query: str, body: dict[str, Any], status: int
) -> None:
    ada.save(URL)
    assert ada.post(f"/bookmarks{query}", {"url": URL, **body}).status_code == status


@pytest.mark.parametrize("policy", ["merge", "keep", "error"])
def test_a_new_link_is_created_whatever_is_said_of_duplicates(ada: Api, policy: str) -> None:
    response = ada.post(f"/bookmarks?on_duplicate={policy}", {"url": URL, "tags": ["a"]})
    assert response.status_code == 201
    assert response.json["tags"] == ["a"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", None),
        ("url", ""),
        ("url", 5),
        ("url", "ftp://example.org/"),
        ("url", "https://ada:secret@example.org/"),
        ("url", "https://example.org/" + "a" * 2048),
        ("url", "https://" + "字" * 1900),
        ("title", 5),
        ("title", "x" * 2_001),
        ("description", "x" * 50_001),
        ("notes", "x" * 200_001),
        ("tags", "one"),
        ("tags", None),
        ("tags.0", [""]),
        ("tags.0", [" \t\n"]),
        ("tags.1", ["a", 5]),
        ("tags.0", ["x" * 101]),
        ("tags", [str(number) for number in range(101)]),
        ("project_ids", [1]),
        ("project_ids.0", [0]),
        ("project_ids.0", [2**63]),
        ("project_ids.0", ["1"]),
        ("is_read", "true"),
        ("is_read", 1),
        ("is_read", None),
        ("capture", "no"),
        ("created_at", "yesterday"),
        ("created_at", "2020-02-30"),
        ("created_at", "2020-01-01T00:00:00"),
        ("created_at", 1577836800),
        ("created_at", "0001-01-01T00:00:00Z"),
        ("on_duplicate", "replace"),
        ("id", 7),
        ("domain", "example.org"),
    ],
)
def test_a_bad_field_is_422_and_named(ada: Api, field: str, value: object) -> None:
    body = {"url": URL, field.partition(".")[0]: value}
    assert f"body.{field}" in field_errors(ada.post("/bookmarks", body))
    assert ada.get("/bookmarks").json["total"] == 0


def test_a_missing_url_is_named(ada: Api) -> None:
    assert field_errors(ada.post("/bookmarks", {"title": "x"})) == {"body.url": "missing"}


def test_every_fault_is_named_at_once(ada: Api) -> None:
    faults = field_errors(ada.post("/bookmarks?on_duplicate=what&page=1", {"url": "x", "title": 5, "other": 1}))
    assert set(faults) == {"query.on_duplicate", "query.page", "body.url", "body.title", "body.other"}


def test_the_longest_of_everything_fits(ada: Api) -> None:
    tags = [f"{number:03}" + "t" * 97 for number in range(100)]
    url = "https://example.org/" + "u" * 2028
    saved = ada.save(url, title="t" * 2_000, description="d" * 50_000, notes="n" * 200_000, tags=tags)
    assert ada.get(f"/bookmarks/{saved['id']}").json == saved
    assert saved["tags"] == tags


def test_a_thousand_merges_never_run_out_of_places_for_tags(ada: Api, context: Flask) -> None:
    saved = ada.save(URL, tags=["first"])
    db.session.execute(text("UPDATE bookmark_tags SET position = 32767"))
    db.session.commit()
    merged = ada.post("/bookmarks", {"url": URL, "tags": ["second", "third"]})
    assert merged.status_code == 200
    assert sorted(merged.json["tags"]) == ["first", "second", "third"]
    assert merged.json["id"] == saved["id"]
