"""/feeds: made and deleted by their owner, read by whoever knows the address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from lxml import etree
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.admin.service import set_disabled
from backend.extensions import db
from backend.transfer.feeds import service
from tests.support.api import PASSWORD, Api, field_errors
from tests.support.logged import logged
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ATOM = "{http://www.w3.org/2005/Atom}"


def publish(person: Api, name: str = "Reading", **chosen: Any) -> dict[str, Any]:
    """A new feed of a filter."""
    response = person.post("/feeds", {"name": name, "filter": chosen})
    assert response.status_code == 201, response.get_data(as_text=True)
    made: dict[str, Any] = response.json
    return made


def read(app: Flask, feed: dict[str, Any], **headers: str) -> TestResponse:
    """The feed as a reader without a login gets it."""
    return Api(app).request("GET", urlsplit(feed["url"]).path, headers=headers)


def titles(app: Flask, feed: dict[str, Any]) -> list[str | None]:
    """The titles of its entries."""
    response = read(app, feed)
    assert response.status_code == 200, response.get_data(as_text=True)
    return [title.text for title in etree.fromstring(response.get_data()).findall(f"{ATOM}entry/{ATOM}title")]


def test_a_feed_is_an_atom_document_of_what_the_filter_leaves(ada: Api) -> None:
    ada.save("https://example.org/other")
    ada.save(
        "https://www.example.org/a?b=1&c=2",
        title='<b>"Title"</b> \x01\U0001f680',
        description="About\n<it>",
        notes="secret",
        tags=["feed", "a & b"],
        created_at="2020-01-02T03:04:05Z",
    )
    response = read(ada.app, publish(ada, "My <feed>", tag=["feed"]))
    assert response.content_type == "application/atom+xml; charset=utf-8"
    feed = etree.fromstring(response.get_data())
    assert [feed.findtext(f"{ATOM}{name}") for name in ("title", "id")] == ["My <feed>", "tag:localhost,2026:feeds/1"]
    [entry] = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == '<b>"Title"</b> \ufffd\U0001f680'
    assert entry.findtext(f"{ATOM}summary") == "About\n<it>"
    assert entry.find(f"{ATOM}link").get("href") == "https://www.example.org/a?b=1&c=2"
    assert [one.get("term") for one in entry.findall(f"{ATOM}category")] == ["feed", "a & b"]
    assert entry.findtext(f"{ATOM}published") == "2020-01-02T03:04:05Z"
    assert feed.findtext(f"{ATOM}updated") == entry.findtext(f"{ATOM}updated")
    assert b"secret" not in response.get_data()


def test_it_holds_the_newest_fifty(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "NEWEST", 2)
    for day in (3, 1, 2):
        ada.save(f"https://example.org/{day}", title=f"Day {day}", created_at=f"2020-01-0{day}")
    assert titles(ada.app, publish(ada)) == ["Day 3", "Day 2"]


def test_an_empty_feed_is_a_feed(ada: Api) -> None:
    assert titles(ada.app, publish(ada)) == []


def test_a_reader_who_has_it_already_gets_no_body(ada: Api) -> None:
    feed = publish(ada)
    ada.save("https://example.org/a")
    first = read(ada.app, feed)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = read(ada.app, feed, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    ada.save("https://example.org/b")
    assert read(ada.app, feed, **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_the_address_is_told_once_and_stored_as_a_hash(ada: Api, context: Flask) -> None:
    feed = publish(ada, tag=["a"])
    token = feed["url"].rpartition("/")[2].removesuffix(".atom")
    assert len(token) >= 32
    [listed] = ada.get("/feeds").json["items"]
    assert listed == {name: value for name, value in feed.items() if name != "url"}
    assert listed["filter"]["tag"] == ["a"]
    assert token.encode() not in bytes(db.session.scalar(text("SELECT token_hash FROM feeds")))


def test_a_deleted_feed_stops_working_at_once(ada: Api) -> None:
    feed = publish(ada)
    assert read(ada.app, feed).status_code == 200
    assert ada.delete(f"/feeds/{feed['id']}").status_code == 204
    assert read(ada.app, feed).status_code == 404
    assert ada.delete(f"/feeds/{feed['id']}").status_code == 404


def test_the_owner_sees_in_their_events_that_feeds_came_and_went(ada: Api) -> None:
    ada.delete(f"/feeds/{publish(ada, 'Mine')['id']}")
    events = [(one["kind"], one["detail"]) for one in ada.get("/profile/security-events").json["items"]]
    assert events[:2] == [("feed_deleted", {"name": "Mine"}), ("feed_created", {"name": "Mine"})]


def test_a_long_description_shows_its_beginning(ada: Api) -> None:
    ada.save("https://example.org/", description="d" * 50_000)
    assert len(read(ada.app, publish(ada)).get_data()) < 4_000


def test_feeds_of_others_are_neither_listed_nor_deleted(ada: Api, bob: Api) -> None:
    feed = publish(ada)
    assert bob.get("/feeds").json["items"] == []
    assert bob.delete(f"/feeds/{feed['id']}").status_code == 404
    assert read(ada.app, feed).status_code == 200


@pytest.mark.parametrize("token", ["nothing", "x" * 32, "%00", "\U0001f680"])
def test_what_is_no_token_looks_like_a_feed_that_never_was(ada: Api, token: str) -> None:
    assert Api(ada.app).get(f"/feeds/{token}.atom").status_code == 404


def test_the_feed_of_a_removed_member_dies(ada: Api, bob: Api) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    with ada.app.app_context():
        join = "INSERT INTO memberships (organization_id, user_id, role) VALUES (:team, :user, 'viewer')"
        db.session.execute(text(join), {"team": team, "user": bob.user_id})
        db.session.commit()
    there = {"X-Organization-ID": str(team)}
    ada.post("/bookmarks", {"url": "https://example.org/", "title": "Theirs", "capture": False}, headers=there)
    feed = bob.post("/feeds", {"name": "Team"}, headers=there).json
    assert feed["organization_id"] == team
    assert titles(ada.app, feed) == ["Theirs"]
    assert ada.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 204
    assert read(ada.app, feed).status_code == 404


def test_the_feed_of_a_disabled_person_rests(ada: Api, context: Flask) -> None:
    feed = publish(ada)
    set_disabled(ada.user_id, True)
    assert read(ada.app, feed).status_code == 404


@pytest.mark.parametrize(("revoke", "status"), [(True, 404), (False, 200)])
def test_a_new_password_ends_feeds_where_it_ends_tokens(ada: Api, revoke: bool, status: int) -> None:
    feed = publish(ada)
    body = {"current_password": PASSWORD, "new_password": "another long password", "revoke_tokens": revoke}
    assert ada.post("/profile/password", body).status_code == 204
    assert read(ada.app, feed).status_code == status


def test_a_person_has_so_many_feeds_at_most(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_FEEDS", 2)
    publish(ada)
    publish(ada)
    refused = ada.post("/feeds", {"name": "One more"})
    assert (refused.status_code, refused.json["limit"]) == (409, 2)


def test_api_tokens_do_not_manage_feeds(ada: Api) -> None:
    script = Api(ada.app, token=ada.post("/auth/tokens", {"name": "s", "scopes": ["*:read", "*:write"]}).json["token"])
    assert script.get("/feeds").status_code == script.post("/feeds", {"name": "Mine"}).status_code == 403


def test_a_filter_that_the_list_refuses_is_refused(ada: Api) -> None:
    assert "body.filter.colour" in field_errors(ada.post("/feeds", {"name": "x", "filter": {"colour": "red"}}))
    many = {"q": " ".join(f"tag:t{number}" for number in range(60))}
    assert field_errors(ada.post("/feeds", {"name": "x", "filter": many})) == {"body.filter.q": "too_many_filters"}
    long = {"tag": ["x" * 20_000]}
    assert field_errors(ada.post("/feeds", {"name": "x", "filter": long})) == {"body.filter": "too_long"}
    assert "body.name" in field_errors(ada.post("/feeds", {"name": " "}))


def test_moments_in_a_filter_are_kept(ada: Api) -> None:
    ada.save("https://example.org/old", title="Old", created_at="2020-01-01")
    ada.save("https://example.org/new", title="New")
    assert titles(ada.app, publish(ada, created_before="2021-01-01")) == ["Old"]


def test_reading_a_feed_takes_three_statements(ada: Api, sql: SqlCounter) -> None:
    feed = publish(ada, q="word", tag=["a"])
    ada.save("https://example.org/a", title="word", tags=["a"])
    with sql.at_most(3):
        assert titles(ada.app, feed) == ["word"]


def test_the_token_stands_in_no_log(ada: Api) -> None:
    with logged() as lines:
        feed = publish(ada)
        read(ada.app, feed)
        Api(ada.app).get(urlsplit(feed["url"]).path.removesuffix(".atom"))
    token = feed["url"].rpartition("/")[2].removesuffix(".atom")
    assert "/feeds/" in str(lines)
    assert token not in str(lines)
