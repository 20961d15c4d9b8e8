"""GET /bookmarks/export over HTTP: what is in the files, which bookmarks, and how the stream behaves."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.redis import leased_slots
from backend.redis.resilient import ResilientRedis
from backend.transfer.export import selection, service
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter
from tests.transfer.netscape import read_netscape

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ODD = 'a "quoted", <b>bold</b> & \U0001f680 name'


def export(person: Api, file_format: str, **query: Any) -> TestResponse:
    """The export as a whole."""
    response = person.get("/bookmarks/export", format=file_format, **query)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response


def urls(person: Api, **query: Any) -> list[str]:
    """The URLs of the bookmarks in a JSON export."""
    return [item["url"] for item in export(person, "json", **query).json["bookmarks"]]


def rows(person: Api, **query: Any) -> list[dict[str, str]]:
    """The lines of a CSV export by column."""
    return list(csv.DictReader(io.StringIO(export(person, "csv", **query).get_data(as_text=True), newline="")))


def test_an_html_export_is_an_attachment_that_a_netscape_reader_takes(ada: Api) -> None:
    ada.save(
        "https://example.org/a?b=1&c=2",
        title=ODD,
        description="one\n\ntwo",
        notes="<i>mine</i>\nmore ",
        tags=["x, y", "café"],
        created_at="2020-01-02T03:04:05Z",
        is_favorite=True,
        is_archived=True,
    )
    response = export(ada, "html")
    assert response.mimetype == "text/html"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="fuze-bookmarks-')
    [found] = read_netscape(response.get_data(as_text=True))
    assert found.url == "https://example.org/a?b=1&c=2"
    assert (found.title, found.description, found.notes) == (ODD, "one\n\ntwo", "<i>mine</i>\nmore ")
    assert found.tags == ["x, y", "café"]
    assert found.attributes["add_date"] == "1577934245"
    assert (found.attributes["toread"], found.attributes["private"]) == ("1", "1")
    assert (found.is_archived, found.is_favorite) == (True, True)


def test_projects_become_folders_if_asked_for(ada: Api) -> None:
    work, play = (ada.post("/projects", {"name": name}).json["id"] for name in ("<Work>", "Play"))
    ada.save("https://example.org/both", project_ids=[work, play])
    ada.save("https://example.org/none")
    html = export(ada, "html", folders="true").get_data(as_text=True)
    assert [(found.folder, found.url) for found in read_netscape(html)] == [
        ("<Work>", "https://example.org/both"),
        ("Play", "https://example.org/both"),
        ("", "https://example.org/none"),
    ]
    token = ada.post("/auth/tokens", {"name": "backup", "scopes": ["bookmarks:read"]}).json["token"]
    script = Api(ada.app, token=token)
    assert len(read_netscape(export(script, "html", folders="true").get_data(as_text=True))) == 2
    assert "<H3>" not in export(ada, "html").get_data(as_text=True)


def test_a_csv_export_has_a_stable_header_and_starts_no_formula(ada: Api) -> None:
    project = ada.post("/projects", {"name": "=Work"}).json["id"]
    ada.save("https://example.org/", title="=1+1", notes='"a"\r\nb', tags=["@b", "c, d"], project_ids=[project])
    assert export(ada, "csv").get_data().partition(b"\r\n")[0] == (
        b"url,title,description,notes,tags,is_read,is_favorite,is_archived,created_at,updated_at,projects"
    )
    [found] = rows(ada)
    assert (found["title"], found["tags"], found["projects"]) == ("'=1+1", "'@b,c%{2c} d", "'=Work")
    assert found["notes"] == '"a"\r\nb'
    assert (found["is_read"], found["created_at"][-1]) == ("false", "Z")


def test_a_json_export_holds_everything(ada: Api) -> None:
    project = ada.post("/projects", {"name": "Work", "technologies": ["Python"]}).json["id"]
    task = ada.post("/tasks", {"title": "Begin", "project_id": project}).json["id"]
    ada.post("/tasks", {"title": "A step", "parent_id": task})
    bookmark = ada.save("https://example.org/", title=ODD, tags=["a"])["id"]
    ada.put(f"/projects/{project}/bookmarks/{bookmark}", {"note": "for this"})
    ada.post("/feedback", {"bookmark_id": bookmark, "project_id": project, "kind": "relevant"})
    document = export(ada, "json").json
    assert (document["format"], document["version"]) == ("fuze", 1)
    assert document["holds"] == ["tags", "projects", "tasks", "bookmarks", "feedback"]
    assert document["tags"] == [{"name": "a"}]
    assert [(one["name"], one["technologies"]) for one in document["projects"]] == [("Work", ["Python"])]
    assert [(one["title"], one["parent_id"]) for one in document["tasks"]] == [("Begin", None), ("A step", task)]
    [found] = document["bookmarks"]
    assert (found["title"], found["tags"]) == (ODD, ["a"])
    assert [(one["project_id"], one["note"]) for one in found["projects"]] == [(project, "for this")]
    assert [(one["kind"], one["subject"]) for one in document["feedback"]] == [("relevant", f"project:{project}")]
    assert "page" not in found


def test_the_page_comes_along_on_request(ada: Api) -> None:
    bookmark = ada.save("https://example.org/")["id"]
    with ada.app.app_context():
        db.session.execute(
            text("INSERT INTO bookmark_contents (bookmark_id, text, html, word_count, vector) "
                 "VALUES (:id, 'words', '<p>words</p>', 1, '')"),
            {"id": bookmark},
        )  # fmt: skip
        db.session.commit()
    [found] = export(ada, "json", include="content").json["bookmarks"]
    assert (found["page"]["text"], found["page"]["html"]) == ("words", "<p>words</p>")


def test_archived_bookmarks_are_in_it_unless_left_out_and_the_trash_is_not(ada: Api) -> None:
    ada.save("https://example.org/inbox")
    ada.save("https://example.org/archived", is_archived=True)
    ada.delete(f"/bookmarks/{ada.save('https://example.org/trash')['id']}")
    assert urls(ada) == ["https://example.org/inbox", "https://example.org/archived"]
    assert urls(ada, is_archived="false") == ["https://example.org/inbox"]
    assert "tasks" in export(ada, "json", is_archived="any").json["holds"]
    assert urls(ada, deleted="true") == ["https://example.org/trash"]


@pytest.mark.parametrize("query", [{"q": "tag:a"}, {"tag": "a"}, {"q": "apple"}, {"is_favorite": "true"}], ids=str)
def test_the_filters_of_the_list_hold(ada: Api, query: dict[str, str]) -> None:
    ada.save("https://example.org/a", title="apple", tags=["a"], is_favorite=True)
    ada.save("https://example.org/b", title="pear")
    assert urls(ada, **query) == ["https://example.org/a"]
    assert [row["url"] for row in rows(ada, **query)] == ["https://example.org/a"]


def test_of_filtered_bookmarks_a_json_export_tells_their_projects_and_no_tasks(ada: Api) -> None:
    work = ada.post("/projects", {"name": "Work"}).json["id"]
    ada.post("/projects", {"name": "Other"})
    ada.post("/tasks", {"title": "Secret"})
    ada.save("https://example.org/a", tags=["a"], project_ids=[work])
    document = export(ada, "json", tag="a").json
    assert document["holds"] == ["projects", "bookmarks"]
    assert [one["name"] for one in document["projects"]] == ["Work"]


def test_a_token_for_bookmarks_alone_reads_no_projects_and_tasks(ada: Api) -> None:
    project = ada.post("/projects", {"name": "Work"}).json["id"]
    ada.save("https://example.org/a", project_ids=[project])
    token = ada.post("/auth/tokens", {"name": "backup", "scopes": ["bookmarks:read"]}).json["token"]
    script = Api(ada.app, token=token)
    assert export(script, "json").json["holds"] == ["tags", "bookmarks"]
    assert [row["projects"] for row in rows(script)] == [""]


def test_others_bookmarks_are_not_in_it(ada: Api, bob: Api) -> None:
    ada.save("https://example.org/of-ada", notes="secret")
    for file_format in ("json", "csv", "html"):
        assert "of-ada" not in export(bob, file_format).get_data(as_text=True)


def test_wrong_filters_are_refused_before_anything_is_sent(ada: Api) -> None:
    assert field_errors(ada.get("/bookmarks/export", format="xml")) == {"query.format": "literal_error"}
    assert field_errors(ada.get("/bookmarks/export", page=2)) == {"query.page": "extra_forbidden"}


def test_batches_and_pages_leave_nothing_out(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "PAGE", 5)
    monkeypatch.setattr(selection, "BATCH", 2)
    saved = [ada.save(f"https://example.org/{number}", tags=[str(number)])["url"] for number in range(10)]
    assert urls(ada) == saved
    assert [row["url"] for row in rows(ada)] == saved
    assert [found.url for found in read_netscape(export(ada, "html").get_data(as_text=True))] == saved
    assert len(export(ada, "json").json["tags"]) == 10


def test_long_texts_are_read_few_at_a_time(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sized = [selection.Sized(number, 400_000) for number in range(5)]
    assert list(selection.portions(sized)) == [[0, 1], [2, 3], [4]]
    assert list(selection.portions([selection.Sized(1, 10**9)])) == [[1]]


def test_what_it_costs_does_not_grow_with_the_bookmarks(ada: Api, sql: SqlCounter) -> None:
    for number in range(30):
        ada.save(f"https://example.org/{number}", tags=["a"])
    # A page of ids; the names of projects and a batch, each with the look whether the person still belongs.
    with sql.at_most(5):
        rows(ada)


@pytest.fixture(autouse=True)
def _no_places_taken() -> None:
    leased_slots._held_here.clear()


@pytest.fixture
def streams(ada: Api) -> Iterator[Callable[[], TestResponse]]:
    """Begins exports that are not read yet."""
    begun: list[TestResponse] = []

    def begin() -> TestResponse:
        begun.append(ada.request("GET", "/bookmarks/export", buffered=False))
        return begun[-1]

    yield begin
    for response in begun:
        response.close()


def test_a_person_has_two_exports_at_once_at_most(ada: Api, bob: Api, streams: Callable[[], TestResponse]) -> None:
    first, _ = streams(), streams()
    refused = streams()
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert export(bob, "json").json["bookmarks"] == []
    first.close()
    assert streams().status_code == 200


def test_without_redis_each_process_counts_its_own(
    no_redis: ResilientRedis, streams: Callable[[], TestResponse]
) -> None:
    first, _ = streams(), streams()
    assert streams().status_code == 429
    first.close()
    assert streams().status_code == 200


def test_what_a_dead_process_held_is_free_after_the_lease(
    ada: Api, streams: Callable[[], TestResponse], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LEASE_SECONDS", 0.001)
    for _ in range(2):
        streams()
    leased_slots._held_here.clear()
    monkeypatch.undo()
    assert export(ada, "json").json["bookmarks"] == []


def test_refused_requests_hold_no_place(ada: Api) -> None:
    many = " ".join(f"tag:t{number}" for number in range(60))
    for _ in range(3):
        assert field_errors(ada.get("/bookmarks/export", q=many)) == {"query.q": "too_many_filters"}
    assert export(ada, "json").json["bookmarks"] == []


def test_whoever_leaves_the_organization_meanwhile_gets_no_whole_file(
    ada: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "BATCH", 1)
    for number in range(3):
        ada.save(f"https://example.org/{number}")
    response = ada.request("GET", "/bookmarks/export", query_string={"format": "csv"}, buffered=False)
    pieces = iter(response.response)
    assert next(pieces).startswith(b"url,")
    assert b"https://example.org/0" in next(pieces)
    with ada.app.app_context():
        db.session.execute(text("DELETE FROM memberships"))
        db.session.commit()
    with pytest.raises(Exception, match="nothing here"):
        list(pieces)
    response.close()
