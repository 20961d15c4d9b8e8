"""/linkding/api/bookmarks: saved, read, changed, archived, deleted, as linkding 1.46.2 does it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from backend.bookmarks.models import Bookmark
from backend.extensions import db
from tests.linkding.client import LinkdingClient
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
URL = "https://example.org/indexes"
FIELDS = [
    "id",
    "url",
    "title",
    "description",
    "notes",
    "web_archive_snapshot_url",
    "favicon_url",
    "preview_image_url",
    "is_archived",
    "unread",
    "shared",
    "tag_names",
    "date_added",
    "date_modified",
    "website_title",
    "website_description",
]


def test_a_saved_link_is_told_with_linkdings_fields_in_its_order(client: LinkdingClient) -> None:
    response = client.post(
        "/bookmarks/",
        {
            "url": URL,
            "title": "Indexes",
            "description": "How they are built",
            "notes": "Read *before* the migration",
            "unread": True,
            "shared": True,
            "tag_names": ["databases", "postgresql"],
        },
    )
    assert response.status_code == 201
    told = response.json
    assert list(told) == FIELDS
    assert {name: told[name] for name in FIELDS[1:5]} == {
        "url": URL,
        "title": "Indexes",
        "description": "How they are built",
        "notes": "Read *before* the migration",
    }
    assert (told["unread"], told["shared"], told["is_archived"]) == (True, False, False)
    assert told["tag_names"] == ["databases", "postgresql"]
    assert told["date_added"].endswith("Z")
    stamp = "".join(letter for letter in told["date_added"][:19] if letter.isdigit())
    assert told["web_archive_snapshot_url"] == f"https://web.archive.org/web/{stamp}/{URL}"
    nothing = ("favicon_url", "preview_image_url", "website_title", "website_description")
    assert [told[name] for name in nothing] == [None] * 4
    assert client.get(f"/bookmarks/{told['id']}/").json == told


def test_what_is_saved_there_is_an_ordinary_bookmark(client: LinkdingClient, ada: Api) -> None:
    saved = client.post("/bookmarks/", {"url": URL, "unread": True, "tag_names": ["db"]}).json
    bookmark = ada.get(f"/bookmarks/{saved['id']}").json
    assert (bookmark["url"], bookmark["tags"], bookmark["is_read"]) == (URL, ["db"], False)
    assert bookmark["capture"]["status"] == "pending"


@pytest.mark.parametrize("query", ["disable_scraping", "disable_scraping=", "disable_scraping=true"])
def test_disable_scraping_leaves_the_page_unread(client: LinkdingClient, ada: Api, query: str) -> None:
    saved = client.post(f"/bookmarks/?{query}", {"url": URL}).json
    assert ada.get(f"/bookmarks/{saved['id']}").json["capture"]["status"] == "skipped"
    assert saved["unread"] is False


def test_a_known_link_is_changed_and_nothing_that_was_not_sent_is_blanked(client: LinkdingClient) -> None:
    first = client.save(URL, title="T", description="D", notes="N", unread=True, tag_names=["a", "b"])
    again = client.post("/bookmarks/", {"url": f"{URL}/?utm_source=mail", "title": "T2"})
    assert again.status_code == 201
    told = again.json
    assert {**told, "date_modified": ""} == {**first, "title": "T2", "date_modified": ""}
    emptied = client.post("/bookmarks/", {"url": URL, "description": "", "unread": False, "tag_names": []}).json
    assert (emptied["id"], emptied["title"], emptied["description"], emptied["notes"]) == (first["id"], "T2", "", "N")
    assert (emptied["unread"], emptied["tag_names"]) == (False, [])


def test_saving_a_known_link_leaves_it_in_the_archive(client: LinkdingClient) -> None:
    """Clients send `is_archived: false` of every link; linkding does not look at it either."""
    saved = client.save(URL, is_archived=True)
    assert saved["is_archived"] is True
    assert client.post("/bookmarks/", {"url": URL, "is_archived": False}).json["is_archived"] is True


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_is_not_sent_stays_as_it_is(client: LinkdingClient, method: str) -> None:
    saved = client.save(URL, title="T", description="D", notes="N", unread=True, tag_names=["a", "b"])
    changed = client.request(method, f"/bookmarks/{saved['id']}/", json={"url": URL, "title": "T2", "tag_names": ["c"]})
    assert changed.status_code == 200
    assert {**changed.json, "date_modified": ""} == {**saved, "title": "T2", "tag_names": ["c"], "date_modified": ""}
    archived = client.request(method, f"/bookmarks/{saved['id']}/", json={"url": URL, "is_archived": True})
    assert archived.json["is_archived"] is True


def test_clients_may_send_back_all_that_they_have_read(client: LinkdingClient) -> None:
    saved = client.save(URL, title="T", notes="n" * 5_000, unread=True, tag_names=["a"])
    back = client.put(f"/bookmarks/{saved['id']}/", saved)
    assert {**back.json, "date_modified": ""} == {**saved, "date_modified": ""}


def test_tags_with_spaces_survive_clients_that_part_names_at_spaces(client: LinkdingClient, ada: Api) -> None:
    bookmark = ada.save(URL, tags=["To Read", "c-d", "plain"])
    shown = client.get(f"/bookmarks/{bookmark['id']}/").json["tag_names"]
    assert shown == ["To-Read", "c-d", "plain"]
    sent = [name.lower() for name in shown]
    assert client.patch(f"/bookmarks/{bookmark['id']}/", {"tag_names": sent}).json["tag_names"] == shown
    assert ada.get(f"/bookmarks/{bookmark['id']}").json["tags"] == ["To Read", "c-d", "plain"]
    assert client.titles(q="#to-read") == client.titles(q="#To-Read") == [""]


def test_put_wants_the_link(client: LinkdingClient) -> None:
    saved = client.save(URL)
    refused = client.put(f"/bookmarks/{saved['id']}/", {"title": "T"})
    assert (refused.status_code, refused.json) == (400, {"url": ["This field is required."]})


def test_the_link_of_another_bookmark_is_refused(client: LinkdingClient) -> None:
    client.save(URL)
    other = client.save("https://example.org/other")
    refused = client.patch(f"/bookmarks/{other['id']}/", {"url": URL})
    assert (refused.status_code, refused.json) == (400, {"url": ["A bookmark with this URL already exists."]})


def test_archiving_and_deleting_answer_nothing(client: LinkdingClient, ada: Api) -> None:
    saved = client.save(URL, title="T")
    path = f"/bookmarks/{saved['id']}"
    for call, archived in (("archive", True), ("unarchive", False)):
        for slash in ("/", ""):
            answer = client.post(f"{path}/{call}{slash}")
            assert (answer.status_code, answer.data) == (204, b"")
        assert client.get(f"{path}/").json["is_archived"] is archived
        assert client.titles("/bookmarks/archived/") == (["T"] if archived else [])
        assert client.titles() == ([] if archived else ["T"])
    assert (client.delete(f"{path}/").status_code, client.delete(f"{path}/").status_code) == (204, 404)
    assert [item["id"] for item in ada.get("/bookmarks", deleted="true").json["items"]] == [saved["id"]]


@pytest.mark.parametrize("path", ["/bookmarks", "/tags", "/bundles"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slash_at_the_end_changes_nothing_and_no_post_is_redirected(
    client: LinkdingClient, path: str, slash: str
) -> None:
    made = client.post(f"{path}{slash}", {"url": URL, "name": "n"})
    assert made.status_code == 201
    one = client.get(f"{path}/{made.json['id']}{slash}")
    assert (one.status_code, one.json["id"]) == (200, made.json["id"])
    assert client.get(f"{path}{slash}").json["count"] == 1


def test_checking_a_saved_link_tells_the_bookmark_and_what_its_page_said(
    client: LinkdingClient, ada: Api, context: Flask
) -> None:
    saved = client.save(URL, title="T", description="D")
    db.session.execute(update(Bookmark).values(title_from="page", image_url="https://example.org/i.png"))
    db.session.commit()
    asked = f"{URL}/?utm_source=mail"
    told = client.get("/bookmarks/check/", url=asked).json
    assert told["bookmark"] == client.get(f"/bookmarks/{saved['id']}/").json
    assert told["bookmark"]["website_title"] == "T"
    assert told["bookmark"]["website_description"] is None
    assert told["metadata"] == {
        "url": asked,
        "title": "T",
        "description": "D",
        "preview_image": "https://example.org/i.png",
    }
    assert told["auto_tags"] == []


@pytest.mark.parametrize("url", ["https://example.org/none", "no link", "", "http://[", "javascript:alert(1)"])
def test_checking_another_text_tells_it_unchanged(client: LinkdingClient, url: str) -> None:
    nothing = {"title": None, "description": None, "preview_image": None}
    expected = {"bookmark": None, "metadata": {"url": url, **nothing}, "auto_tags": []}
    assert client.get("/bookmarks/check/", url=url).json == expected


def test_a_bookmark_has_no_files(client: LinkdingClient) -> None:
    saved = client.save(URL)
    told = client.get(f"/bookmarks/{saved['id']}/assets/").json
    assert told == {"count": 0, "next": None, "previous": None, "results": []}
    assert client.get("/bookmarks/999999/assets/").status_code == 404


def test_other_people_see_and_change_nothing(client: LinkdingClient, bob: Api) -> None:
    saved = client.save(URL, title="T", tag_names=["a"])
    other = LinkdingClient(bob)
    path = f"/bookmarks/{saved['id']}/"
    assert other.get("/bookmarks/").json["count"] == 0
    for method, place, sent in (
        ("GET", path, {}),
        ("PUT", path, {"json": {"url": URL}}),
        ("PATCH", path, {"json": {"title": "x"}}),
        ("DELETE", path, {}),
        ("POST", f"{path}archive/", {}),
        ("POST", f"{path}unarchive/", {}),
        ("GET", f"{path}assets/", {}),
    ):
        refused = other.request(method, place, **sent)
        assert (refused.status_code, refused.json) == (404, {"detail": "No Bookmark matches the given query."}), place
    assert other.get("/bookmarks/check/", url=URL).json["bookmark"] is None
    assert client.get(path).json == saved


@pytest.mark.parametrize(
    ("call", "most"),
    [
        (lambda client, path: client.get(path), 1),
        (lambda client, path: client.get("/bookmarks/check/", url=URL), 1),
        (lambda client, path: client.patch(path, {"title": "x", "tag_names": ["b", "c-d"]}), 8),
        (lambda client, path: client.post("/bookmarks/", {"url": f"{URL}/new", "tag_names": ["a"]}), 6),
        (lambda client, path: client.post("/bookmarks/", {"url": URL, "title": "again"}), 8),
        (lambda client, path: client.post(f"{path}archive/"), 3),
        (lambda client, path: client.delete(path), 2),
    ],
    ids=["read", "check", "change", "save", "save again", "archive", "delete"],
)
def test_statements_do_not_grow_with_what_there_is(
    client: LinkdingClient, sql: SqlCounter, call: Any, most: int
) -> None:
    saved = client.save(URL, tag_names=["a"])
    client.get("/user/profile/")
    for number in range(20):
        client.save(f"{URL}/{number}", tag_names=[f"t{number}"])
    with sql.at_most(most):
        assert call(client, f"/bookmarks/{saved['id']}/").status_code < 300
