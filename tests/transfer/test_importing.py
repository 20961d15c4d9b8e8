"""POST /bookmarks/import: what becomes of every line of a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import select

from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.transfer.batches import MAX_RECORDS
from tests.support.api import Api, field_errors
from tests.transfer.conftest import ask, assert_adds_up, imported, only, run, send_file, told
from tests.transfer.json_lines import lines_file, links

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
URL = "https://example.org/indexes"


def test_a_file_becomes_bookmarks_with_all_that_it_says(ada: Api) -> None:
    record = {
        "url": URL, "title": "Indexes", "description": "How they work", "notes": "line one\nline two",
        "tags": ["databases", "a, \"quoted\" <tag> \U0001f680"], "created_at": "2011-03-04T05:06:07+00:00",
        "is_read": True, "is_favorite": True, "is_archived": True,
    }  # fmt: skip
    result = imported(ada, [record], capture="false")
    assert result == {
        "format": "test_lines", "found": 1, "created": 1, "duplicates": 0, "skipped": 0, "failed": 0, "mended": 0,
        "failures": [], "failures_omitted": 0,
    }  # fmt: skip
    saved = only(ada)
    assert {name: saved[name] for name in record if name != "created_at"} == {
        name: value for name, value in record.items() if name != "created_at"
    }
    assert saved["created_at"] == "2011-03-04T05:06:07Z"
    assert saved["capture"]["status"] == "skipped"


def test_the_job_tells_how_far_it_has_come(ada: Api) -> None:
    job_id = ask(ada, links(MAX_RECORDS + 10), capture="false")
    assert told(ada, job_id)["status"] == "queued"
    job = run(ada, job_id)
    assert job["kind"] == "import"
    assert job["status"] == "succeeded"
    assert job["progress"] == {"done": MAX_RECORDS + 10, "total": MAX_RECORDS + 10, "message": ""}
    assert ada.get("/bookmarks").json["total"] == MAX_RECORDS + 10


def test_pages_are_captured_unless_that_is_not_asked_for(ada: Api) -> None:
    imported(ada, [{"url": URL}])
    assert only(ada)["capture"]["status"] == "pending"


def test_a_page_asked_for_explicitly_is_captured_though_it_was_saved_without(ada: Api) -> None:
    ada.save(URL)
    imported(ada, [{"url": URL}])
    assert only(ada)["capture"]["status"] == "skipped"
    imported(ada, [{"url": URL}], capture="true")
    assert only(ada)["capture"]["status"] == "pending"


def test_lines_with_one_link_unite_tags_and_keep_the_earliest_date(ada: Api) -> None:
    records = [
        {"url": URL, "tags": ["One"], "created_at": "2015-01-01T00:00:00"},
        {"url": f"{URL}/?utm_source=mail", "title": "Second", "tags": ["one", "two"],
         "created_at": "2012-01-01T00:00:00"},
        {"url": "http://www.example.org/indexes", "notes": "third", "is_favorite": True},
    ]  # fmt: skip
    result = imported(ada, records, capture="false")
    assert (result["created"], result["duplicates"]) == (1, 2)
    saved = only(ada)
    assert saved["tags"] == ["One", "two"]
    assert (saved["title"], saved["notes"], saved["is_favorite"]) == ("Second", "third", True)
    assert saved["created_at"] == "2012-01-01T00:00:00Z"


@pytest.mark.parametrize("on_duplicate", ["merge", "keep", "error"])
def test_they_are_united_across_batches_too_whatever_becomes_of_known_links(ada: Api, on_duplicate: str) -> None:
    first = {"url": URL, "tags": ["one"], "created_at": "2015-01-01T00:00:00"}
    last = {"url": URL, "tags": ["two"], "created_at": "2012-01-01T00:00:00"}
    result = imported(ada, [first, *links(MAX_RECORDS), last], capture="false", on_duplicate=on_duplicate)
    assert (result["created"], result["duplicates"]) == (MAX_RECORDS + 1, 1)
    found = ada.get("/bookmarks/lookup", url=URL).json
    assert found["tags"] == ["one", "two"]
    assert found["created_at"] == "2012-01-01T00:00:00Z"


def test_of_a_link_that_is_saved_already_what_is_empty_is_filled(ada: Api) -> None:
    before = ada.save(URL, title="Mine", tags=["old"])
    record = {"url": URL, "title": "Theirs", "notes": "theirs", "tags": ["new"], "created_at": "2001-01-01T00:00:00"}
    result = imported(ada, [record, record], capture="false")
    assert (result["created"], result["duplicates"]) == (0, 2)
    saved = only(ada)
    assert (saved["title"], saved["notes"], saved["tags"]) == ("Mine", "theirs", ["old", "new"])
    assert saved["created_at"] == before["created_at"]


def test_it_is_left_alone_where_that_is_asked_for(ada: Api) -> None:
    before = ada.save(URL, title="Mine")
    result = imported(ada, [{"url": URL, "notes": "theirs", "tags": ["new"]}], on_duplicate="keep")
    assert (result["created"], result["duplicates"], result["failed"]) == (0, 1, 0)
    assert only(ada) == before


def test_it_is_an_error_where_that_is_asked_for(ada: Api) -> None:
    before = ada.save(URL, title="Mine")
    result = imported(ada, [{"url": URL}, {"url": "https://example.org/new"}, {"url": URL}], on_duplicate="error")
    assert (result["created"], result["duplicates"], result["failed"]) == (1, 0, 2)
    assert [(one["line"], one["reason"]) for one in result["failures"]] == [
        (2, "This link is already saved."),
        (4, "This link is already saved."),
    ]
    assert ada.get(f"/bookmarks/{before['id']}").json == before


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/a", "Only http and https URLs can be saved."),
        ("/relative/path", "Only http and https URLs can be saved."),
        ("https://", "A URL needs a valid host."),
        ("https://user:secret@example.org/", "A URL must not carry a user name or password."),
        (f"https://example.org/{'a' * 2100}", "A URL is at most 2048 characters long."),
        ("", "Only http and https URLs can be saved."),
    ],
    ids=["ftp", "relative", "no host", "password", "long", "empty"],
)
def test_a_line_that_cannot_be_saved_is_named_with_the_reason(ada: Api, url: str, reason: str) -> None:
    result = imported(ada, [{"url": URL}, {"url": url}], capture="false")
    assert (result["created"], result["failed"]) == (1, 1)
    assert result["failures"] == [{"line": 3, "url": url[:500], "reason": reason, "outcome": "failed"}]


def test_what_is_no_link_is_skipped_with_the_reason(ada: Api) -> None:
    result = imported(ada, [{"url": "javascript:alert(1)", "reason": "It is a script."}])
    assert (result["found"], result["skipped"]) == (1, 1)
    [failure] = result["failures"]
    assert failure == {"line": 2, "url": "javascript:alert(1)", "reason": "It is a script.", "outcome": "skipped"}


def rows_of(person: Api, job_id: str) -> list[dict[str, str]]:
    answer = person.get(f"/jobs/{job_id}/failures.csv")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


@pytest.mark.parametrize(
    ("record", "field", "kept", "reason"),
    [
        ({"title": "t" * 2_500}, "title", "t" * 2_000, "The title was cut to 2,000 characters."),
        ({"notes": "n" * 200_001}, "notes", "n" * 200_000, "The notes were cut to 200,000 characters."),
        (
            {"tags": [f"t{number}" for number in range(130)]},
            "tags",
            [f"t{number}" for number in range(100)],
            "Only the first 100 of 130 tags were taken.",
        ),
        ({"tags": ["x" * 120]}, "tags", ["x" * 100], "A tag was cut to 100 characters."),
        ({"title": "a\x00b"}, "title", "ab", "Characters of the title that cannot be stored were left out."),
        ({"title": "a\ud83d"}, "title", "a\ufffd", "Characters of the title that cannot be stored were left out."),
    ],
    ids=["title", "notes", "tags", "long tag", "nul", "halves"],
)  # fmt: skip
def test_what_is_too_much_is_cut_and_told(ada: Api, record: dict[str, Any], field: str, kept: Any, reason: str) -> None:
    job_id = ask(ada, [{"url": URL, **record}], capture="false")
    result = run(ada, job_id)["result"]
    assert (result["created"], result["mended"], result["failures"]) == (1, 1, [])
    assert only(ada)[field] == kept
    assert rows_of(ada, job_id) == [{"line": "2", "outcome": "mended", "url": URL, "reason": reason}]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00", "2500-01-01T00:00:00"])
def test_a_date_that_makes_no_sense_is_left_out_and_told(ada: Api, moment: str) -> None:
    job_id = ask(ada, [{"url": URL, "created_at": moment}], capture="false")
    assert run(ada, job_id)["result"]["mended"] == 1
    assert only(ada)["created_at"].startswith("20")
    assert "date" in rows_of(ada, job_id)[0]["reason"]


def test_the_epoch_is_no_date(ada: Api) -> None:
    assert imported(ada, [{"url": URL, "created_at": "1970-01-01T00:00:00"}], capture="false")["mended"] == 0
    assert not only(ada)["created_at"].startswith("1970")


def test_a_thousand_failures_are_told_and_all_of_them_are_in_the_file(ada: Api) -> None:
    records = [{"url": f"=cmd|calc!{number}"} for number in range(1_203)]
    job_id = ask(ada, records)
    result = run(ada, job_id)["result"]
    assert_adds_up(result)
    assert (result["failed"], len(result["failures"]), result["failures_omitted"]) == (1_203, 1_000, 203)
    rows = rows_of(ada, job_id)
    assert [int(row["line"]) for row in rows] == list(range(2, 1_205))
    assert all(row["url"].startswith("'=cmd") for row in rows)  # No spreadsheet takes it for a formula.


def test_the_list_is_for_the_organization_alone_and_for_imports_alone(ada: Api, bob: Api) -> None:
    job_id = ask(ada, [{"url": "ftp://a"}])
    run(ada, job_id)
    assert bob.get(f"/jobs/{job_id}/failures.csv").status_code == 404
    capture = ada.post(f"/bookmarks/{ada.save(URL)['id']}/capture").json["id"]
    assert ada.get(f"/jobs/{capture}/failures.csv").status_code == 404


def test_a_file_that_breaks_off_keeps_what_was_read_before(ada: Api) -> None:
    content = lines_file(links(MAX_RECORDS + 3), b"!")
    job = run(ada, send_file(ada, content, capture="false").json["id"])
    assert job["status"] == "failed"
    assert job["error"] == f"Line {MAX_RECORDS + 5} is broken."
    assert_adds_up(job["result"])
    assert job["result"]["created"] == MAX_RECORDS + 3
    assert ada.get("/bookmarks").json["total"] == MAX_RECORDS + 3


def test_tags_that_a_bookmark_has_no_room_for_are_left_out_and_told(ada: Api) -> None:
    ada.save(URL, tags=[f"t{number}" for number in range(99)])
    job_id = ask(ada, [{"url": URL, "tags": ["new", "newer"]}, *links(3, tags=["fits"])], capture="false")
    result = run(ada, job_id)["result"]
    assert (result["created"], result["duplicates"], result["mended"]) == (3, 1, 1)
    assert len(ada.get("/bookmarks/lookup", url=URL).json["tags"]) == 99
    assert ada.get("/bookmarks", tag="fits").json["total"] == 3


def test_tags_that_the_organization_has_no_room_for_are_left_out_and_told(
    ada: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ada.app.extensions["settings"].model_copy(update={"MAX_TAGS_PER_ORGANIZATION": 2})
    monkeypatch.setitem(ada.app.extensions, "settings", few)
    ada.save("https://example.org/before", tags=["known"])
    job_id = ask(ada, [{"url": URL, "tags": ["known", "b", "c"]}], capture="false")
    assert run(ada, job_id)["result"]["mended"] == 1
    assert ada.get("/bookmarks/lookup", url=URL).json["tags"] == ["known"]


def test_folders_are_tags_unless_said_otherwise(ada: Api) -> None:
    record = {"url": URL, "tags": ["old"], "folders": ["Reading", "Old "]}
    imported(ada, [record], capture="false")
    assert only(ada)["tags"] == ["old", "Reading"]


def test_folders_can_be_left_out(ada: Api) -> None:
    imported(ada, [{"url": URL, "folders": ["Reading"]}], capture="false", folders="ignore")
    assert only(ada)["tags"] == []


def test_folders_can_be_projects_one_for_each_path(ada: Api) -> None:
    known = ada.post("/projects", {"name": "reading"}).json["id"]
    records = [
        {"url": URL, "folders": ["Reading"]},
        {"url": "https://example.org/b", "folders": ["Work", "Fuze"]},
        {"url": "https://example.org/c", "folders": ["work", "fuze"]},
        {"url": URL, "folders": ["Work", "Fuze"]},
    ]
    imported(ada, records, capture="false", folders="projects")
    projects = {project["name"]: project for project in ada.get("/projects").json["items"]}
    assert set(projects) == {"reading", "Work / Fuze"}
    assert projects["Work / Fuze"]["bookmark_count"] == 3
    assert ada.get("/bookmarks/lookup", url=URL).json["project_ids"] == sorted([known, projects["Work / Fuze"]["id"]])
    assert ada.get("/tags").json["items"] == []


def test_a_second_account_notices_nothing(ada: Api, bob: Api) -> None:
    imported(ada, links(5), capture="false")
    assert bob.get("/bookmarks").json["total"] == 0
    assert bob.get("/jobs").json["total"] == 0
    assert bob.get("/bookmarks/captures").json["pending"] == 0


def test_captures_of_an_import_come_after_single_saves(ada: Api) -> None:
    imported(ada, [{"url": URL}])
    ada.save("https://example.org/single", capture=True)
    with ada.app.app_context():
        found = dict(db.session.execute(select(Bookmark.url, Bookmark.capture_priority)).all())
    assert found == {URL: 0, "https://example.org/single": 1}


def test_titles_of_an_import_are_not_the_pages(ada: Api) -> None:
    imported(ada, [{"url": URL, "title": "Theirs"}])
    with ada.app.app_context():
        [found] = db.session.execute(select(Bookmark.title_from, Bookmark.description_from)).all()
    assert tuple(found) == ("import", "nobody")


def test_the_query_says_how_as_well_as_the_form(ada: Api) -> None:
    answer = send_file(ada, lines_file([{"url": URL}]), {"capture": "false"}, capture="true")
    run(ada, answer.json["id"])
    assert only(ada)["capture"]["status"] == "skipped"


def test_an_unknown_format_is_refused_at_once(ada: Api) -> None:
    assert field_errors(send_file(ada, b"\x89PNG\r\n\x1a\n" + bytes(range(256)))) == {"body.file": "unknown_format"}
    assert field_errors(send_file(ada, lines_file([]), format="no such")) == {"body.format": "unknown_format"}
    assert ada.get("/jobs").json["total"] == 0
