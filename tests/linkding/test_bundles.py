"""/linkding/api/bundles: stored searches, and the bookmarks that one leaves."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from backend.extensions import db
from backend.linkding.bundles.models import Bundle
from tests.api import Api
from tests.linkding.client import LinkdingClient
from tests.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
WORK = {
    "name": "Work",
    "search": "productivity tools",
    "any_tags": "work job",
    "all_tags": "todo",
    "excluded_tags": "private",
}


def test_a_bundle_is_made_read_changed_and_deleted(client: LinkdingClient) -> None:
    made = client.post("/bundles/", WORK)
    assert made.status_code == 201
    bundle = made.json
    assert list(bundle) == [
        "id",
        *WORK,
        "filter_unread",
        "filter_shared",
        "order",
        "date_created",
        "date_modified",
    ]
    assert {name: bundle[name] for name in WORK} == WORK
    assert (bundle["order"], bundle["filter_unread"], bundle["filter_shared"]) == (0, "off", "off")
    path = f"/bundles/{bundle['id']}/"
    assert client.get(path).json == bundle
    changed = client.patch(path, {"search": "", "filter_unread": "yes"}).json
    assert {**changed, "date_modified": ""} == {
        **bundle,
        "search": "",
        "filter_unread": "yes",
        "date_modified": "",
    }
    assert client.put(path, {"name": "Job"}).json["name"] == "Job"
    assert client.put(path, {"search": "x"}).json == {"name": ["This field is required."]}
    assert (client.delete(path).status_code, client.delete(path).status_code) == (204, 404)
    assert client.get(path).json == {"detail": "No BookmarkBundle matches the given query."}


def test_bundles_stand_in_their_order_and_move_up(client: LinkdingClient) -> None:
    ids = [client.post("/bundles/", {"name": name}).json["id"] for name in ("a", "b", "c")]
    client.post("/bundles/", {"name": "first", "order": -1})
    told = client.get("/bundles/").json
    assert (told["count"], told["next"]) == (4, None)
    assert [(one["name"], one["order"]) for one in told["results"]] == [("first", -1), ("a", 0), ("b", 1), ("c", 2)]
    client.delete(f"/bundles/{ids[0]}/")
    told = client.get("/bundles/", limit=2).json
    assert [(one["name"], one["order"]) for one in told["results"]] == [("first", -1), ("b", 0)]
    assert told["next"] == "http://localhost/linkding/api/bundles/?limit=2&offset=2"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, {"name": ["This field is required."]}),
        ({"name": ""}, {"name": ["This field may not be blank."]}),
        ({"name": "n" * 257}, {"name": ["Ensure this field has no more than 256 characters."]}),
        ({"name": "n", "filter_unread": "maybe"}, {"filter_unread": ['"maybe" is not a valid choice.']}),
        ({"name": "n", "order": "x"}, {"order": ["A valid integer is required."]}),
    ],
    ids=lambda part: str(part)[:60],
)
def test_a_bundle_at_fault_is_refused(client: LinkdingClient, body: dict[str, Any], refusal: dict[str, Any]) -> None:
    refused = client.post("/bundles/", body)
    assert (refused.status_code, refused.json) == (400, refusal)


@pytest.mark.parametrize(
    ("bundle", "titles"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"any_tags": "x y"}, ["c", "b", "a"]),
        ({"all_tags": "x y"}, ["c"]),
        ({"excluded_tags": "x two-words"}, ["b"]),
        ({"any_tags": "x y two-words", "excluded_tags": "y"}, ["d", "a"]),
        ({"search": "b or d"}, ["d", "b"]),
        ({"search": "b or d", "any_tags": "y"}, ["b"]),
        ({"filter_unread": "yes"}, ["a"]),
        ({"filter_unread": "no"}, ["d", "c", "b"]),
        ({"filter_shared": "yes"}, []),
        ({"filter_shared": "no"}, ["d", "c", "b", "a"]),
    ],
    ids=str,
)
def test_a_bundle_narrows_the_list(client: LinkdingClient, ada: Api, bundle: dict[str, str], titles: list[str]) -> None:
    tags = {"a": ["x"], "b": ["y"], "c": ["x", "y"], "d": ["two words"]}
    for title, names in tags.items():
        ada.save(f"https://example.org/{title}", title=title, tags=names, is_read=title != "a")
    made = client.post("/bundles/", {"name": "B", **bundle}).json
    assert client.titles(bundle=made["id"]) == titles
    assert client.titles(bundle=made["id"], q="c") == [title for title in titles if title == "c"]


@pytest.mark.parametrize("bundle", ["999999", "x", "0", "9" * 40, ""])
def test_a_bundle_that_is_none_counts_as_not_given(client: LinkdingClient, bundle: str) -> None:
    client.save("https://example.org/1", title="T")
    assert client.titles(bundle=bundle) == ["T"]


def test_bundles_of_others_are_not_there(client: LinkdingClient, bob: Api) -> None:
    bundle = client.post("/bundles/", WORK).json
    other = LinkdingClient(bob)
    other.save("https://example.org/1", title="T")
    path = f"/bundles/{bundle['id']}/"
    assert other.get("/bundles/").json["count"] == 0
    assert other.titles(bundle=bundle["id"]) == ["T"]
    for method, sent in (("GET", {}), ("PUT", {"json": WORK}), ("PATCH", {"json": {}}), ("DELETE", {})):
        refused = other.request(method, path, **sent)
        assert (refused.status_code, refused.json) == (404, {"detail": "No BookmarkBundle matches the given query."})
    assert client.get(path).json == bundle


@pytest.mark.parametrize("number", [1, 30])
def test_bundles_take_as_many_statements_however_many_there_are(
    client: LinkdingClient, sql: SqlCounter, number: int
) -> None:
    for at in range(number):
        bundle = client.post("/bundles/", {"name": f"{at}", "any_tags": "a b"}).json
    with sql.at_most(2):
        assert client.get("/bundles/").json["count"] == number
    with sql.at_most(2):
        client.get("/bookmarks/", bundle=bundle["id"])
    with sql.at_most(1):
        client.get(f"/bundles/{bundle['id']}/")
    with sql.at_most(2):
        client.post("/bundles/", WORK)


def test_a_page_of_bundles_ends_before_two_megabytes(client: LinkdingClient, ada: Api, context: Flask) -> None:
    long = dict.fromkeys(("any_tags", "all_tags", "excluded_tags"), "😀" * 1024)
    rows = [{"organization_id": ada.organization_id, "name": "n", "position": at, **long} for at in range(300)]
    db.session.execute(insert(Bundle), rows)
    db.session.commit()
    first = client.get("/bundles/", limit=1_000)
    assert len(first.data) <= 2_000_000
    shown = len(first.json["results"])
    assert (first.json["count"], shown < 300) == (300, True)
    assert first.json["next"].endswith(f"?limit=1000&offset={shown}")


def test_a_bundle_is_made_once_with_an_idempotency_key(client: LinkdingClient) -> None:
    first, second = (client.post("/bundles/", WORK, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert client.get("/bundles/").json["count"] == 1
