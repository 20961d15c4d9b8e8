"""/linkding/api/bookmarks as a list: pages with absolute addresses, filters, order; pages that end before 2 MB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from sqlalchemy import update

from backend.bookmarks.models import Bookmark
from backend.extensions import db
from tests.api import Api
from tests.linkding.client import LinkdingClient
from tests.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
LIST = "http://localhost/linkding/api/bookmarks/"
LARGEST = 2_000_000


def add(person: Api, number: int, **fields: Any) -> None:
    """Save links with the titles "0", "1", …, each newer than the one before."""
    items = [{"url": f"https://example.org/{at}", "title": f"{at}", "capture": False, **fields} for at in range(number)]
    assert person.post("/bookmarks/bulk", {"items": items}).json["created"] == number


def followed(client: LinkdingClient, address: str) -> dict[str, Any]:
    """What is at an address that a page names."""
    told: dict[str, Any] = client.get(urlsplit(address).path, **dict(parse_qsl(urlsplit(address).query))).json
    return told


def test_a_page_names_its_neighbours_by_absolute_addresses(client: LinkdingClient, ada: Api) -> None:
    add(ada, 5)
    first = client.get("/bookmarks/", limit=2).json
    assert list(first) == ["count", "next", "previous", "results"]
    assert (first["count"], first["previous"]) == (5, None)
    assert [item["title"] for item in first["results"]] == ["4", "3"]
    assert first["next"] == f"{LIST}?limit=2&offset=2"
    second = followed(client, first["next"])
    assert (second["previous"], second["next"]) == (f"{LIST}?limit=2", f"{LIST}?limit=2&offset=4")
    last = followed(client, second["next"])
    assert [item["title"] for item in last["results"]] == ["0"]
    assert (last["next"], last["previous"]) == (None, f"{LIST}?limit=2&offset=2")


def test_the_neighbours_addresses_keep_what_else_is_asked(client: LinkdingClient, ada: Api) -> None:
    add(ada, 3, tags=["a&b ü"])
    told = client.get("/bookmarks", q="#a&b-ü", sort="title_asc", limit=1).json
    assert told["next"] == "http://localhost/linkding/api/bookmarks?limit=1&offset=1&q=%23a%26b-%C3%BC&sort=title_asc"
    assert [item["title"] for item in followed(client, told["next"])["results"]] == ["1"]


def test_a_page_has_a_hundred_results_unless_a_limit_is_given(client: LinkdingClient, ada: Api) -> None:
    add(ada, 103)
    told = client.get("/bookmarks/").json
    assert (told["count"], len(told["results"]), told["next"]) == (103, 100, f"{LIST}?limit=100&offset=100")
    assert len(client.get("/bookmarks/", limit=10_000).json["results"]) == 103
    for limit in ("", "0", "-1", "x", "1.5"):
        assert len(client.get("/bookmarks/", limit=limit).json["results"]) == 100, limit


@pytest.mark.parametrize("offset", ["", "-1", "x"])
def test_an_offset_that_is_none_counts_as_not_given(client: LinkdingClient, ada: Api, offset: str) -> None:
    add(ada, 2)
    assert client.titles(offset=offset) == ["1", "0"]


@pytest.mark.parametrize("offset", ["2", "1000000", "9" * 30])
def test_past_the_end_there_is_nothing_and_the_count_stays(client: LinkdingClient, ada: Api, offset: str) -> None:
    add(ada, 2)
    told = client.get("/bookmarks/", offset=offset).json
    assert (told["count"], told["results"], told["next"]) == (2, [], None)
    assert told["previous"].startswith(f"{LIST}?limit=100")


def test_behind_a_proxy_the_addresses_are_those_that_clients_see(client: LinkdingClient, ada: Api) -> None:
    add(ada, 2)
    told = client.request(
        "GET",
        "/bookmarks/",
        query_string={"limit": 1},
        base_url="https://links.example.org",
        environ_overrides={"SCRIPT_NAME": "/fuze"},
    ).json
    assert told["next"] == "https://links.example.org/fuze/linkding/api/bookmarks/?limit=1&offset=1"


def test_notes_come_whole(client: LinkdingClient) -> None:
    saved = client.save("https://example.org/long", notes="n" * 200_000, description="d" * 50_000)
    [listed] = client.get("/bookmarks/").json["results"]
    assert listed == saved
    assert (len(listed["notes"]), len(listed["description"])) == (200_000, 50_000)


@pytest.mark.parametrize("piece", ["x", "\x01", "\U0001f600", '"'], ids=ascii)
def test_a_page_ends_before_two_megabytes_and_next_goes_on_from_there(
    client: LinkdingClient, ada: Api, context: Flask, piece: str
) -> None:
    add(ada, 25)
    db.session.execute(update(Bookmark).values(notes=piece * 200_000, description=piece * 50_000, title=piece * 2_000))
    db.session.commit()
    places: list[tuple[str, int]] = []
    response = client.get("/bookmarks/")
    while True:
        assert len(response.data) <= LARGEST
        page = response.json
        assert page["count"] == 25
        assert {len(item["notes"]) for item in page["results"]} == {200_000}
        places += [(item["date_added"], item["id"]) for item in page["results"]]
        if page["next"] is None:
            break
        address = urlsplit(page["next"])
        response = client.get(address.path, **dict(parse_qsl(address.query)))
    assert sorted(places, reverse=True) == places
    assert len(set(places)) == 25


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, ["Beta", "alpha", "Gamma"]),
        ({"sort": "added_desc"}, ["Beta", "alpha", "Gamma"]),
        ({"sort": "added_asc"}, ["Gamma", "alpha", "Beta"]),
        ({"sort": "title_asc"}, ["alpha", "Beta", "Gamma"]),
        ({"sort": "title_desc"}, ["Gamma", "Beta", "alpha"]),
        ({"sort": "purple"}, ["Beta", "alpha", "Gamma"]),
        ({"unread": "yes"}, ["alpha"]),
        ({"unread": "no"}, ["Beta", "Gamma"]),
        ({"unread": "off"}, ["Beta", "alpha", "Gamma"]),
        ({"shared": "yes"}, []),
        ({"shared": "no"}, ["Beta", "alpha", "Gamma"]),
        ({"added_since": "2026-02-01T00:00:00Z"}, ["Beta", "alpha"]),
        ({"added_since": "2026-02-01"}, ["Beta", "alpha"]),
        ({"added_since": "2026-02-02T01:00:00+01:00"}, ["Beta"]),
        ({"added_since": "2026-02-02T00:00:00"}, ["Beta"]),
        ({"added_since": "yesterday"}, ["Beta", "alpha", "Gamma"]),
        ({"modified_since": "2026-05-01T00:00:00Z"}, ["Gamma"]),
        ({"modified_since": "2026-05-01T00:00:00Z", "unread": "yes"}, []),
        ({"modified_since": "9999-12-31T00:00:00Z"}, ["Beta", "alpha", "Gamma"]),
        ({"surprise": "1"}, ["Beta", "alpha", "Gamma"]),
    ],
    ids=str,
)
def test_filters_and_orders(
    client: LinkdingClient, ada: Api, context: Flask, query: dict[str, str], titles: list[str]
) -> None:
    for month, day, title in ((1, 2, "Gamma"), (2, 2, "alpha"), (3, 2, "Beta")):
        saved = client.save(f"https://example.org/{title}", title=title, unread=title == "alpha")
        moments = {"created_at": datetime(2026, month, day, tzinfo=UTC), "updated_at": datetime(2026, 4, 1, tzinfo=UTC)}
        if title == "Gamma":
            moments["updated_at"] = datetime(2026, 6, 1, tzinfo=UTC)
        db.session.execute(update(Bookmark).where(Bookmark.id == saved["id"]).values(**moments))
    db.session.commit()
    told = client.get("/bookmarks/", **query).json
    assert [item["title"] for item in told["results"]] == titles
    assert told["count"] == len(titles)
    assert client.get("/bookmarks/archived/", **query).json["count"] == 0


def test_archived_bookmarks_have_a_list_of_their_own_and_shared_ones_there_are_none(client: LinkdingClient) -> None:
    client.save("https://example.org/1", title="here", shared=True)
    client.save("https://example.org/2", title="there", is_archived=True, shared=True)
    assert client.titles() == ["here"]
    assert client.titles(q="is:archived") == []
    assert client.titles("/bookmarks/archived/", q="there") == ["there"]
    assert client.get("/bookmarks/shared/").json == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("python", ["python web", "python data"]),
        ("python web", ["python web"]),
        ('"python web"', ["python web"]),
        ("'web python'", []),
        ("web or data", ["python web", "python data", "rust data"]),
        ("python and not data", ["python web"]),
        ("not (python or rust)", ["untagged"]),
        ("(python or rust) data", ["python data", "rust data"]),
        ("#lang", ["python web", "python data", "rust data"]),
        ("#lang not #fast", ["python web", "python data"]),
        ("#LANG and (#fast or web)", ["python web", "rust data"]),
        ("#nothing", []),
        ("!untagged", ["untagged"]),
        ("!unread", ["python web"]),
        ("not !unread #lang", ["python data", "rust data"]),
        ("-rust data", ["python data"]),
        ("site:example.org", ["python web", "python data", "rust data", "untagged"]),
        ("(", ["python web", "python data", "rust data", "untagged"]),
        ("", ["python web", "python data", "rust data", "untagged"]),
    ],
)
def test_linkdings_search_syntax_is_understood(client: LinkdingClient, search: str, titles: list[str]) -> None:
    client.save("https://example.org/1", title="untagged")
    client.save("https://example.org/2", title="rust data", tag_names=["lang", "fast"])
    client.save("https://example.org/3", title="python data", tag_names=["lang"])
    client.save("https://example.org/4", title="python web", tag_names=["lang"], unread=True)
    told = client.get("/bookmarks/", q=search).json
    assert [item["title"] for item in told["results"]] == titles
    assert told["count"] == len(titles)


def test_a_search_of_too_many_alternatives_is_refused(client: LinkdingClient) -> None:
    search = " or ".join(f"(a{at} b{at})" for at in range(10))
    refused = client.get("/bookmarks/", q=search)
    assert (refused.status_code, refused.json) == (400, {"q": ["This search combines too many alternatives."]})


@pytest.mark.parametrize(
    ("query", "most"),
    [({}, 1), ({"q": "#a"}, 1), ({"q": "word"}, 2), ({"modified_since": "2026-01-01"}, 1), ({"offset": 500}, 2)],
    ids=str,
)
def test_a_list_takes_as_many_statements_however_long_it_is(
    client: LinkdingClient, ada: Api, sql: SqlCounter, query: dict[str, Any], most: int
) -> None:
    client.get("/user/profile/")
    for number in (3, 60):
        items = [
            {"url": f"https://example.org/{at}", "tags": ["a", f"t{at}"], "capture": False} for at in range(number)
        ]
        assert ada.post("/bookmarks/bulk", {"items": items}).status_code == 200
        with sql.at_most(most):
            assert client.get("/bookmarks/", **query).status_code == 200


def test_an_unchanged_list_is_not_sent_again(client: LinkdingClient, ada: Api) -> None:
    add(ada, 2)
    etag = client.get("/bookmarks/").headers["ETag"]
    again = client.request("GET", "/bookmarks/", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
