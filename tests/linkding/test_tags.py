"""/linkding/api/tags, /linkding/api/user/profile and /linkding/health."""

from __future__ import annotations

import re

import pytest

from tests.api import Api
from tests.linkding.client import LinkdingClient
from tests.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z")


def test_a_tag_is_made_once_however_often_it_is_sent(client: LinkdingClient) -> None:
    made = client.post("/tags/", {"name": "Databases"})
    again = client.post("/tags/", {"name": "databases"})
    assert (made.status_code, again.status_code) == (201, 201)
    assert made.json == again.json
    assert list(made.json) == ["id", "name", "date_added"]
    assert made.json["name"] == "Databases"
    assert MOMENT.fullmatch(made.json["date_added"])
    assert client.get(f"/tags/{made.json['id']}/").json == made.json


def test_tags_are_listed_oldest_first_in_pages(client: LinkdingClient) -> None:
    for name in ("c", "a", "b"):
        client.post("/tags/", {"name": name})
    first = client.get("/tags/", limit=2).json
    assert (first["count"], [tag["name"] for tag in first["results"]]) == (3, ["c", "a"])
    assert first["next"] == "http://localhost/linkding/api/tags/?limit=2&offset=2"
    assert [tag["name"] for tag in client.get("/tags/", limit=2, offset=2).json["results"]] == ["b"]


def test_a_tag_with_spaces_is_told_with_dashes_and_found_by_them(client: LinkdingClient, ada: Api) -> None:
    ada.save("https://example.org/1", tags=["to read"])
    [told] = client.get("/tags/").json["results"]
    assert told["name"] == "to-read"
    assert client.post("/tags/", {"name": "To-Read"}).json == told
    assert [tag["name"] for tag in ada.get("/tags").json["items"]] == ["to read"]


def test_a_tag_is_deleted_and_its_bookmarks_stay(client: LinkdingClient) -> None:
    client.save("https://example.org/1", title="T", tag_names=["a"])
    [tag] = client.get("/tags/").json["results"]
    assert client.delete(f"/tags/{tag['id']}/").status_code == 204
    assert client.get(f"/tags/{tag['id']}/").json == {"detail": "No Tag matches the given query."}
    assert client.get("/bookmarks/").json["results"][0]["tag_names"] == []


def test_tags_of_others_are_not_there(client: LinkdingClient, bob: Api) -> None:
    made = client.post("/tags/", {"name": "a"}).json
    other = LinkdingClient(bob)
    assert other.get("/tags/").json["count"] == 0
    for method in ("GET", "DELETE"):
        refused = other.request(method, f"/tags/{made['id']}/")
        assert (refused.status_code, refused.json) == (404, {"detail": "No Tag matches the given query."})
    assert client.get("/tags/").json["count"] == 1


@pytest.mark.parametrize("number", [2, 40])
def test_tags_take_as_many_statements_however_many_there_are(
    client: LinkdingClient, ada: Api, sql: SqlCounter, number: int
) -> None:
    ada.save("https://example.org/1", tags=[f"t{at}" for at in range(number)])
    tag_id = client.get("/tags/").json["results"][0]["id"]
    with sql.at_most(2):
        assert client.get("/tags/").json["count"] == number
    with sql.at_most(1):
        client.get(f"/tags/{tag_id}/")
    with sql.at_most(3):
        client.post("/tags/", {"name": "a-b"})


def test_the_profile_tells_preferences_to_any_token(ada: Api) -> None:
    told = LinkdingClient(ada, "tasks:read").get("/user/profile/").json
    assert told["search_preferences"] == {"sort": "added_desc", "shared": "off", "unread": "off"}
    assert (told["theme"], told["enable_sharing"], told["version"]) == ("auto", False, "1.46.2")


@pytest.mark.parametrize("path", ["/linkding/health", "/linkding/health/"])
def test_the_health_names_the_version_of_linkding_to_anybody(anonymous: Api, path: str) -> None:
    response = anonymous.get(path)
    assert (response.status_code, response.json) == (200, {"version": "1.46.2", "status": "healthy"})
    assert response.headers["Cache-Control"] == "no-store"
    assert "X-RateLimit-Limit-60s" not in response.headers
