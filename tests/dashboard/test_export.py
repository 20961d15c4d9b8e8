"""Dashboard export: the file in each format, its link, and whose it is."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.admin.service import set_disabled
from backend.clock import utc_now
from backend.dashboard.export import service, tables, turns, workbook
from backend.dashboard.export.links import sign_link
from backend.dashboard.jobs import purge_exports, run_export
from backend.errors import NotFound
from backend.extensions import db
from backend.jobs.models import Job
from backend.transfer import stored_parts
from backend.transfer.escapes import unguard_cell
from tests.profile.teams import make_team
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
FORMATS = ("json", "csv", "xlsx")
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", ' =HYPERLINK("https://evil.example")', "'=1")


TAGS = text("""
    INSERT INTO tags (organization_id, name, name_key)
    SELECT :organization, name, name FROM (SELECT md5(n::text) AS name FROM generate_series(1, :number) n) made
    ON CONFLICT DO NOTHING
""")


def ask(person: Api, file_format: str = "json", *, headers: dict[str, str] | None = None, **fields: Any) -> str:
    """Ask for an export; the job's id."""
    answer = person.post("/dashboard/export", {"format": file_format, **fields}, headers=headers)
    assert answer.status_code == 202, answer.json
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json['id']}"
    assert answer.json["kind"] == "dashboard_export"
    return str(answer.json["id"])


def run(person: Api, job_id: str) -> tuple[str, Any]:
    """Have a worker run a job; its status and result."""
    with person.app.app_context():
        run_export(job_id)
        db.session.remove()
        job = db.session.get_one(Job, UUID(job_id))
        db.session.remove()
    return job.status, job.result


def export(person: Api, file_format: str = "json", **options: Any) -> str:
    """Have an export written; its link."""
    status, result = run(person, ask(person, file_format, **options))
    assert status == "succeeded"
    assert set(result) == {"download_url", "expires_at"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result["expires_at"])
    return str(result["download_url"])


def read_json(person: Api, **options: Any) -> dict[str, Any]:
    return json.loads(person.get(export(person, "json", **options)).data)  # type: ignore[no-any-return]


def read_csv(data: bytes) -> dict[str, list[dict[str, str]]]:
    """The rows of each file of a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(file, newline=""))) for name, file in files.items()
    }


def read_sheets(data: bytes) -> dict[str, list[dict[str, Any]]]:
    """The rows of each sheet of a workbook but the summary."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    found = {}
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        head, *rows = sheet.iter_rows(values_only=True)
        found[sheet.title.lower()] = [dict(zip(map(str, head), row, strict=True)) for row in rows]
    return found


@pytest.fixture
def collection(ada: Api) -> dict[str, Any]:
    """Two bookmarks, a project and two tasks of ada's, and something in the trash."""
    saved = ada.save(
        "https://example.org/a",
        title="Ünï\u2028code 🗂",
        tags=["z", "to read"],
        notes="n" * 100,
        created_at="2026-02-28",
    )
    other = ada.save("https://example.org/b", title="Second", created_at="2026-04-01T12:30:15Z", is_read=True)
    project = ada.post("/projects", {"name": "Plans", "technologies": ["Zig", "SQL"]}).json
    tasks = [ada.post("/tasks", {"title": f"Task {n}", "project_id": project["id"]}).json for n in range(2)]
    ada.patch(f"/tasks/{tasks[0]['id']}", {"status": "done", "due_at": "2026-05-01"})
    trash = ada.save("https://example.org/trash", title="s3cret trash")
    ada.delete(f"/bookmarks/{trash['id']}")
    return {"saved": saved, "other": other, "project": project, "tasks": tasks}


def test_json_is_one_document_with_a_list_for_each_table(ada: Api, bob: Api, collection: dict[str, Any]) -> None:
    bob.save("https://example.org/bobs", title="s3cret")
    told = read_json(ada)
    assert (told["format"], told["version"], told["from"], told["to"]) == ("fuze-dashboard", 1, None, None)
    assert told["organization"] == {"id": ada.organization_id, "name": "ada"}
    assert told["holds"] == ["bookmarks", "tags", "projects", "tasks"]
    assert "s3cret" not in json.dumps(told)
    first, second = told["bookmarks"]
    assert (first["title"], first["tags"], first["created_at"]) == (
        "Ünï\u2028code 🗂", ["z", "to read"], "2026-02-28T00:00:00Z"
    )  # fmt: skip
    assert (second["is_read"], second["word_count"]) == (True, None)
    assert [(tag["name"], tag["bookmark_count"]) for tag in told["tags"]] == [("to read", 1), ("z", 1)]
    assert told["projects"][0]["technologies"] == ["Zig", "SQL"]
    assert [task["status"] for task in told["tasks"]] == ["done", "todo"]


def test_csv_is_a_zip_of_one_file_for_each_table(ada: Api, collection: dict[str, Any]) -> None:
    answer = ada.get(export(ada, "csv"))
    assert answer.content_type == "application/zip"
    told = read_csv(answer.data)
    assert set(told) == {"bookmarks", "tags", "projects", "tasks"}
    first, second = told["bookmarks"]
    assert (first["title"], first["tags"], first["is_read"]) == ("Ünï\u2028code 🗂", "z, to read", "false")
    assert (second["created_at"], second["word_count"]) == ("2026-04-01T12:30:15Z", "")
    assert told["tasks"][0]["project_id"] == str(collection["project"]["id"])


def test_a_workbook_has_typed_cells_a_frozen_header_and_charts(ada: Api, collection: dict[str, Any]) -> None:
    answer = ada.get(export(ada, "xlsx"))
    assert answer.content_type == service.MEDIA_TYPES["xlsx"]
    told = read_sheets(answer.data)
    assert set(told) == {"bookmarks", "tags", "projects", "tasks"}
    first, second = told["bookmarks"]
    assert (first["id"], first["is_read"], second["is_read"]) == (collection["saved"]["id"], False, True)
    assert second["created_at"] == datetime(2026, 4, 1, 12, 30, 15)
    assert (first["url"], first["title"], first["published_at"]) == ("https://example.org/a", "Ünï\u2028code 🗂", None)
    assert told["tags"][0]["bookmark_count"] == 1
    assert told["tasks"][0]["due_at"] == datetime(2026, 5, 1, 23, 59, 59)
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    links = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert not links
    summary = {row[0]: list(row[1:]) for row in book["Summary"].iter_rows(values_only=True)}
    assert (summary["organization"][0], summary["bookmarks"][0], summary["tasks"][0]) == ("ada", 2, 2)
    this_month = f"{utc_now():%Y-%m}"
    assert [summary[month][0] for month in ("2026-02", "2026-03", "2026-04", this_month)] == [1, 0, 1, 0]
    assert (summary["done"][0], summary["todo"][0]) == (1, 1)
    charts = book["Summary"]._charts
    assert [len(chart.series) for chart in charts] == [4, 1]


@pytest.mark.parametrize("value", FORMULAS)
def test_no_cell_of_a_spreadsheet_starts_a_formula(ada: Api, value: str) -> None:
    """Neither as it is opened, nor where a person edits the cell or saves it as CSV; JSON has it as it is."""
    shown = value.replace("\r", " ").strip("\t")
    ada.save("https://example.org/a", title=value, notes=value, tags=[shown.strip()])
    assert read_json(ada)["bookmarks"][0]["notes"] == ada.get("/bookmarks").json["items"][0]["notes"]
    for cells in (read_csv(ada.get(export(ada, "csv")).data), read_sheets(ada.get(export(ada, "xlsx")).data)):
        texts = [cell for rows in cells.values() for row in rows for cell in row.values() if isinstance(cell, str)]
        assert not [cell for cell in texts if re.match(r"['\s]*[=+\-@＝]", cell) and not cell.startswith("'")]
        assert [tag for tag in cells["tags"] if unguard_cell(str(tag["name"])) == shown.strip()]
    sheets = openpyxl.load_workbook(io.BytesIO(ada.get(export(ada, "xlsx")).data))
    assert {cell.data_type for row in sheets["Bookmarks"].iter_rows() for cell in row} <= {"s", "n", "b", "d"}


def test_what_a_cell_cannot_hold_is_cut_or_written_as_text(ada: Api, context: Flask) -> None:
    ada.save("https://example.org/a", title="old \x01 \ufffe _x0041_", notes="🗂" * 20_000)
    db.session.execute(text("UPDATE bookmarks SET published_at = '1850-06-01 12:00+00'"))
    db.session.commit()
    data = ada.get(export(ada, "xlsx")).data
    [row] = read_sheets(data)["bookmarks"]
    assert len(row["notes"].encode("utf-16-le")) // 2 <= 32_767
    assert row["published_at"] == "1850-06-01T12:00:00+00:00"
    summary = dict(row[:2] for row in openpyxl.load_workbook(io.BytesIO(data))["Summary"].iter_rows(values_only=True))
    assert summary["cells cut at 32,767 characters"] == 1
    assert len(read_json(ada)["bookmarks"][0]["notes"]) == 20_000


def test_more_rows_than_a_sheet_may_have_go_on_the_next_sheet(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    for place in range(5):
        ada.save(f"https://example.org/{place}")
    sheets = read_sheets(ada.get(export(ada, "xlsx")).data)
    assert [len(sheets[name]) for name in ("bookmarks", "bookmarks 2", "bookmarks 3")] == [2, 2, 1]


@pytest.mark.parametrize("file_format", FORMATS)
def test_nothing_makes_a_file_too(ada: Api, file_format: str) -> None:
    answer = ada.get(export(ada, file_format))
    assert answer.status_code == 200
    assert answer.data


def test_a_period_bounds_what_was_created(ada: Api, collection: dict[str, Any]) -> None:
    def titles(**bounds: str) -> list[str]:
        return [row["title"] for row in read_json(ada, **bounds)["bookmarks"]]

    assert titles(**{"from": "2026-03-01"}) == ["Second"]
    assert titles(**{"to": "2026-04-01T12:30:15Z"}) == ["Ünï\u2028code 🗂"]
    assert titles(**{"from": "2026-04-01T12:30:15Z", "to": "2026-04-02"}) == ["Second"]
    told = read_json(ada, **{"from": "2027-01-01"})
    assert (told["from"], told["bookmarks"], told["tasks"]) == ("2027-01-01T00:00:00Z", [], [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.format"),
        ({"format": "pdf"}, "body.format"),
        ({"format": "csv", "include_history": "yes"}, "body.include_history"),
        ({"format": "csv", "from": "yesterday"}, "body.from"),
        ({"format": "csv", "since": "2026-01-01"}, "body.since"),
        ({"format": "csv", "from": "2026-02-01", "to": "2026-01-01"}, "body.to"),
    ],
)
def test_what_may_not_be_asked_for_is_refused(ada: Api, body: dict[str, Any], field: str) -> None:
    assert set(field_errors(ada.post("/dashboard/export", body))) == {field}


def test_batches_of_any_size_make_the_same_file(
    ada: Api, collection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_json(ada)
    monkeypatch.setattr(tables, "BATCH", 1)
    monkeypatch.setattr(stored_parts, "PART_BYTES", 100)
    in_pieces = read_json(ada)
    assert {**in_pieces, "exported_at": ""} == {**whole, "exported_at": ""}


def test_the_activity_log_is_there_if_it_is_asked_for(
    ada: Api, bob: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the events that its owner may see: roles are for the owners, feedback is each one's own."""
    monkeypatch.setattr(tables, "BATCH", 2)
    saved = [ada.save(f"https://example.org/{number}")["id"] for number in range(3)]
    bob.save("https://example.org/of-bob")
    assert "activity" not in read_json(ada)
    told = read_json(ada, include_history=True)
    assert told["holds"][-1] == "activity"
    events = [row for row in told["activity"] if row["type"] == "bookmark.created"]
    assert [(row["object_id"], row["user_id"]) for row in events] == [(id_, ada.user_id) for id_ in saved]
    assert read_json(ada, include_history=True, **{"to": "2020-01-01"})["activity"] == []
    sheets = read_sheets(ada.get(export(ada, "xlsx", include_history=True)).data)
    assert [row["object_id"] for row in sheets["activity"] if row["type"] == "bookmark.created"] == saved


def test_the_link_is_the_owners_alone(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=ada, editor=bob)
    header = {"X-Organization-ID": str(team)}
    link = export(ada, headers=header)
    answer = ada.get(link)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="fuze-dashboard-{utc_now():%Y-%m-%d}.json"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert Api(ada.app).get(link).status_code == 401
    for headers in ({}, header):
        assert bob.request("GET", link, headers=headers).status_code == 404
    missing = bob.get(re.sub(r"[0-9a-f-]{36}", str(uuid4()), link))
    assert bob.get(link).json["detail"] == missing.json["detail"] == NotFound.detail


@pytest.mark.parametrize(
    "forge",
    [
        lambda link: link[:-1] + ("A" if link[-1] != "A" else "B"),
        lambda link: link + "A",
        lambda link: link + "%21",
        lambda link: link.rpartition(".")[0],
        lambda link: link.rpartition(".")[0] + ".",
        lambda link: re.sub(r"/1(\d+)\.", r"/2\1.", link),
        lambda link: link.rpartition("/")[0] + "/.",
        lambda link: re.sub(r"/\d+\.", "/%C2%B2.", link),
        lambda link: link.rpartition(".")[0] + ".%C3%BC",
    ],
)
def test_a_forged_link_is_403(ada: Api, forge: Callable[[str], str]) -> None:
    assert ada.get(forge(export(ada))).status_code == 403


def test_a_link_lasts_a_day_and_is_410_then(ada: Api, bob: Api, context: Flask) -> None:
    link = export(ada)
    job_id = UUID(re.findall(r"[0-9a-f-]{36}", link)[0])
    expires = int(re.findall(r"/(\d+)\.", link)[0])
    assert abs(expires - time.time() - 24 * 3600) < 60
    expired = sign_link(job_id, ada.user_id, utc_now() - timedelta(seconds=2))
    assert ada.get(expired).status_code == 410
    assert bob.get(expired).status_code == 404
    assert ada.get(link).status_code == 200
    db.session.execute(text("UPDATE dashboard_exports SET expires_at = now() - interval '1 second'"))
    db.session.commit()
    purge_exports()
    assert db.session.scalar(text("SELECT count(*) FROM dashboard_export_parts")) == 0
    assert (ada.get(expired).status_code, ada.get(link).status_code) == (410, 404)


def test_what_a_killed_worker_left_on_the_disk_is_purged(ada: Api, context: Flask) -> None:
    left, fresh = (service.scratch_directory() / name for name in ("left", "fresh"))
    for directory in (left, fresh):
        directory.mkdir()
        (directory / "rows").write_text("rows")
    os.utime(left, (0, 0))
    purge_exports()
    assert (left.exists(), fresh.exists()) == (False, True)
    export(ada, "xlsx")
    assert [path.name for path in service.scratch_directory().iterdir()] == ["fresh"]
    (fresh / "rows").unlink()
    fresh.rmdir()


def ranged(person: Api, link: str, spec: str, **headers: str) -> TestResponse:
    return person.request("GET", link, headers={"Range": spec, "Accept-Encoding": "gzip, br, zstd", **headers})


def test_a_download_can_be_resumed(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_parts, "PART_BYTES", 100)
    ada.save("https://example.org/a", notes="n" * 3_000)
    link = export(ada)
    whole = ada.request("GET", link, headers={"Accept-Encoding": "gzip, br, zstd"})
    assert "Content-Encoding" not in whole.headers
    assert whole.headers["Accept-Ranges"] == "bytes"
    size, etag = len(whole.data), whole.headers["ETag"]
    for spec, expected in (("bytes=0-9", (0, 10)), ("bytes=95-305", (95, 306)), ("bytes=-7", (size - 7, size))):
        part = ranged(ada, link, spec)
        assert (part.status_code, part.data) == (206, whole.data[slice(*expected)])
        assert part.headers["Content-Range"] == f"bytes {expected[0]}-{expected[1] - 1}/{size}"
        assert part.headers["Content-Length"] == str(len(part.data))
    outside = ranged(ada, link, f"bytes={size}-")
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert outside.content_type == "application/problem+json"
    assert ranged(ada, link, "bytes=0-9", **{"If-Range": etag}).status_code == 206
    assert ranged(ada, link, "bytes=0-9", **{"If-Range": '"another"'}).data == whole.data
    assert ada.request("GET", link, headers={"If-None-Match": etag}).status_code == 304
    assert ada.request("HEAD", link).headers["Content-Length"] == str(size)


def test_a_download_that_is_not_taken_holds_no_connection(ada: Api) -> None:
    link = export(ada)
    with ada.app.app_context():
        pool = db.engine.pool
    answers = [ada.request("GET", link, buffered=False) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert pool.checkedout() == 0
    for answer in answers:
        answer.close()


def test_viewers_and_tokens_that_only_read_ask_for_none(ada: Api, bob: Api, context: Flask) -> None:
    header = {"X-Organization-ID": str(make_team("Team", owner=bob, viewer=ada))}
    assert ada.post("/dashboard/export", {"format": "json"}, headers=header).status_code == 403
    assert token_of(ada, "*:read").post("/dashboard/export", {"format": "json"}).status_code == 403


def token_of(person: Api, *scopes: str, **fields: Any) -> Api:
    made = person.post("/auth/tokens", {"name": "script", "scopes": scopes, **fields})
    assert made.status_code == 201, made.json
    return Api(person.app, token=made.json["token"])


def test_a_token_gets_what_it_reaches_and_no_more(ada: Api, collection: dict[str, Any]) -> None:
    script = token_of(ada, "dashboard:read", "dashboard:write", "tasks:read")
    link = export(script)
    assert json.loads(script.get(link).data)["holds"] == ["tasks"]
    assert ada.get(link).status_code == 200
    whole = export(ada)
    assert script.get(whole).status_code == 403
    assert token_of(ada, "*:read").get(whole).status_code == 200
    assert token_of(ada, "tasks:read").get(link).status_code == 403


def test_a_token_downloads_nothing_of_another_organization(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=ada, editor=bob)
    link = export(ada, headers={"X-Organization-ID": str(team)})
    assert token_of(ada, "*:read").get(link).status_code == 404
    assert token_of(ada, "*:read", organization_id=team).get(link).status_code == 200


def test_who_has_left_downloads_nothing(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    link = export(ada, headers={"X-Organization-ID": str(team)})
    assert ada.delete(f"/organizations/{team}/members/{ada.user_id}").status_code == 204
    assert ada.get(link).status_code == 404


def test_a_disabled_person_downloads_nothing(ada: Api, context: Flask) -> None:
    link = export(ada)
    set_disabled(ada.user_id, True)
    assert ada.get(link).status_code == 401


def at_the_second_batch(monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[], object]) -> None:
    """Have something happen while an export is being written."""
    from backend.dashboard.export import writing  # noqa: PLC0415  # Only this changes it.

    monkeypatch.setattr(tables, "BATCH", 1)
    monkeypatch.setattr(writing, "REPORT_SECONDS", -1.0)
    read, calls = tables._values, []

    def interrupted(row: Any, columns: Sequence[str]) -> Any:
        calls.append(row)
        if len(calls) == 2:
            interrupt()
        return read(row, columns)

    monkeypatch.setattr(tables, "_values", interrupted)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_cancelled_one_stops_and_leaves_nothing(
    ada: Api, context: Flask, collection: dict[str, Any], monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    job_id = ask(ada, file_format)
    at_the_second_batch(monkeypatch, lambda: ada.delete(f"/jobs/{job_id}"))
    assert run(ada, job_id) == ("cancelled", None)
    assert db.session.scalar(text("SELECT count(*) FROM dashboard_export_parts")) == 0
    assert list(service.scratch_directory().iterdir()) == []


def test_who_is_removed_meanwhile_gets_none(
    ada: Api, bob: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = make_team("Team", owner=bob, editor=ada)
    header = {"X-Organization-ID": str(team)}
    for place in range(3):
        bob.post("/bookmarks", {"url": f"https://example.org/{place}", "tags": [f"tag {place}"]}, headers=header)
    job_id = ask(ada, headers=header)
    gone = text("DELETE FROM memberships WHERE user_id = :user AND organization_id = :team")

    def remove() -> None:
        with db.engine.begin() as connection:
            connection.execute(gone, {"user": ada.user_id, "team": team})

    at_the_second_batch(monkeypatch, remove)
    assert run(ada, job_id) == ("cancelled", None)
    assert db.session.scalar(text("SELECT count(*) FROM dashboard_export_parts")) == 0


def test_a_run_that_died_is_repeated_from_the_beginning(
    ada: Api, context: Flask, collection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of the attempt before are no part of the file."""
    job_id = ask(ada)

    def die() -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        at_the_second_batch(patch, die)
        with pytest.raises(SystemExit):
            run(ada, job_id)
    values = {"id": job_id}
    db.session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
    db.session.execute(
        text("INSERT INTO dashboard_export_parts (job_id, attempt, position, data) VALUES (:id, 1, 0, 'half')"), values
    )
    db.session.commit()
    status, result = run(ada, job_id)
    assert status == "succeeded"
    assert len(json.loads(ada.get(result["download_url"]).data)["tasks"]) == 2
    assert list(db.session.scalars(text("SELECT DISTINCT attempt FROM dashboard_export_parts"))) == [2]


def test_a_run_that_died_after_its_end_repeats_nothing(ada: Api, context: Flask) -> None:
    job_id = ask(ada)
    _, result = run(ada, job_id)
    db.session.execute(text("UPDATE jobs SET status = 'running', lease_until = now() - interval '1 second'"))
    db.session.commit()
    assert run(ada, job_id) == ("succeeded", result)
    assert ada.get(result["download_url"]).status_code == 200


def test_a_person_has_so_many_under_way_and_no_more(ada: Api, bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_UNDER_WAY", 2)
    monkeypatch.setattr(service, "MOST_IN_A_DAY", 3)
    first, second = ask(ada), ask(ada)
    refused = ada.post("/dashboard/export", {"format": "json"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    run(bob, ask(bob))
    for job_id in (first, second):
        run(ada, job_id)
    run(ada, ask(ada))
    refused = ada.post("/dashboard/export", {"format": "json"})
    assert refused.status_code == 429
    assert 80_000 < int(refused.headers["Retry-After"]) <= 86_400


def test_a_repeated_request_is_one_export(ada: Api) -> None:
    answers = [ada.post("/dashboard/export", {"format": "csv"}, headers={"Idempotency-Key": "a"}) for _ in range(2)]
    assert answers[0].json["id"] == answers[1].json["id"]


def test_others_who_have_waited_come_before_the_next_of_one_person(ada: Api, bob: Api) -> None:
    first, second, bobs = ask(ada), ask(ada), ask(bob)
    assert run(ada, first)[0] == "succeeded"
    assert run(ada, second)[0] == "queued"
    later = ask(bob)
    assert run(bob, bobs)[0] == "succeeded"
    assert run(ada, second)[0] == "succeeded"
    assert run(bob, later)[0] == "succeeded"


def test_of_one_person_one_runs_at_a_time(ada: Api, context: Flask) -> None:
    first, second = ask(ada), ask(ada)
    running = "UPDATE jobs SET status = 'running', lease_until = now() + interval '1 minute' WHERE id = :id"
    db.session.execute(text(running), {"id": first})
    db.session.commit()
    assert run(ada, second)[0] == "queued"
    db.session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second', run_after = now()"))
    db.session.commit()
    assert run(ada, second)[0] == "succeeded"
    assert set(turns.KINDS_BESIDE) >= {"dashboard_export", "import", "personal_export"}


@pytest.mark.parametrize("file_format", FORMATS)
def test_many_rows_take_little_memory(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    """What 4,000 rows take beyond 400: all of them at once would be 2 MB."""
    monkeypatch.setattr(tables, "BATCH", 100)
    monkeypatch.setattr(stored_parts, "PART_BYTES", 50_000)
    peaks = []
    for number in (10, 400, 4_000):  # What is loaded and compiled once comes with the first.
        db.session.execute(TAGS, {"organization": ada.organization_id, "number": number})
        db.session.commit()
        job_id = ask(ada, file_format)
        tracemalloc.start()
        assert run(ada, job_id)[0] == "succeeded"
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 500_000, peaks


def test_libreoffice_opens_a_workbook(ada: Api, collection: dict[str, Any], tmp_path: Path) -> None:
    shutil = pytest.importorskip("shutil")
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    import subprocess  # noqa: PLC0415  # Where there is something to run.

    (tmp_path / "export.xlsx").write_bytes(ada.get(export(ada, "xlsx")).data)
    arguments = [program, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "csv"]
    done = subprocess.run([*arguments, "--outdir", str(tmp_path), str(tmp_path / "export.xlsx")], timeout=120)
    assert done.returncode == 0
    assert "ada" in (tmp_path / "export.csv").read_text()
