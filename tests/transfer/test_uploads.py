"""Files as they come in: broken, empty, twice, too large; where they are kept, and until when."""

from __future__ import annotations

import io
import socket
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.extensions import db
from backend.transfer import service, stored_parts
from backend.transfer.jobs import purge_imports
from backend.transfer.models import Import, ImportRemark, UploadPart
from backend.transfer.uploads import open_upload
from tests.support.api import Api, field_errors
from tests.support.live import LiveServer
from tests.support.sql import SqlCounter
from tests.transfer.conftest import ask, run, send_file
from tests.transfer.json_lines import lines_file, links

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
MULTIPART = "multipart/form-data; boundary=x"
FILE = lines_file([{"url": "https://example.org/a"}])


def send(person: Api, form: Any, **options: Any) -> Any:
    return person.request("POST", "/bookmarks/import", data=form, content_type="multipart/form-data", **options)


def file(content: bytes = FILE, name: str = "links.txt") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def parts_left(person: Api) -> int:
    with person.app.app_context():
        return db.session.scalar(select(func.count()).select_from(UploadPart)) or 0


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({}, {"body.file": "missing"}),
        ({"files": "wrong name"}, {"body.file": "missing", "body.files": "extra_forbidden"}),
        ({"file": "a text, and no file"}, {"body.file": "value_error"}),
        ({"file": [file(), file()]}, {"body.file": "repeated"}),
        ({"file": file(), "capture": "perhaps"}, {"body.capture": "value_error"}),
        ({"file": file(), "on_duplicate": "eat"}, {"body.on_duplicate": "literal_error"}),
        ({"file": file(), "folders": ["tags", "ignore"]}, {"body.folders": "repeated"}),
        ({"file": file(), "surprise": "1"}, {"body.surprise": "extra_forbidden"}),
        ({"file": file(), "format": "a\x00b"}, {"body.format": "value_error"}),
    ],
    ids=["nothing", "name", "text", "two", "boolean", "word", "twice", "unknown", "nul"],
)
def test_what_is_wrong_with_a_form_is_told_by_field(ada: Api, form: dict[str, Any], faults: dict[str, str]) -> None:
    if "file" in form and isinstance(form["file"], tuple):
        form = {**form, "file": file(form["file"][0].getvalue())}
    elif isinstance(form.get("file"), list):
        form = {**form, "file": [file(), file()]}
    assert field_errors(send(ada, form)) == faults
    assert ada.get("/jobs").json["total"] == 0


def test_another_media_type_is_415(ada: Api) -> None:
    assert ada.post("/bookmarks/import", {"file": "x"}).status_code == 415
    plain = ada.request("POST", "/bookmarks/import", data=FILE, content_type="text/html")
    assert plain.status_code == 415


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nhttps", MULTIPART),
        (b"--x\r\nno header at all", MULTIPART),
        (b"anything", "multipart/form-data"),
    ],
    ids=["cut", "no part", "no boundary"],
)  # fmt: skip
def test_a_broken_form_is_malformed(ada: Api, body: bytes, media_type: str) -> None:
    answer = ada.request("POST", "/bookmarks/import", data=body, content_type=media_type)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_a_viewer_imports_nothing(ada: Api, bob: Api) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    with ada.app.app_context():
        db.session.execute(
            db.text("INSERT INTO memberships (organization_id, user_id, role) VALUES (:team, :user, 'viewer')"),
            {"team": team, "user": bob.user_id},
        )
        db.session.commit()
    form = {"file": file()}
    assert send(bob, form, headers={"X-Organization-ID": str(team)}).status_code == 403


def test_a_file_over_64_mib_is_refused_before_it_is_read(ada: Api) -> None:
    answer = ada.request(
        "POST",
        "/bookmarks/import",
        environ_overrides={"CONTENT_LENGTH": str(64 * 2**20 + 1)},
        content_type=MULTIPART,
    )
    assert answer.status_code == 413


def test_a_file_is_kept_in_pieces_until_its_import_ends(
    ada: Api, sql: SqlCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_parts, "PART_BYTES", 1_000)
    content = lines_file(links(3, notes="n" * 900))
    with sql.at_most(14):
        answer = send_file(ada, content, capture="false")
    assert answer.status_code == 202
    assert parts_left(ada) == 3
    with ada.app.app_context():
        [(job_id, size)] = db.session.execute(select(Import.job_id, Import.size)).all()
        stored = open_upload(job_id, size)
        assert stored.read() == content
        stored.seek(995)
        assert stored.read(10) == content[995:1_005]
        stored.seek(-3, io.SEEK_END)
        assert stored.read() == content[-3:]
    assert run(ada, answer.json["id"])["result"]["created"] == 3
    assert parts_left(ada) == 0


def test_files_of_cancelled_imports_are_purged_and_old_lines_forgotten(ada: Api) -> None:
    cancelled, waiting, done = (ask(ada, [{"url": "ftp://a"}]) for _ in range(3))
    ada.delete(f"/jobs/{cancelled}")
    with ada.app.app_context():
        db.session.execute(
            db.text("UPDATE jobs SET created_at = created_at - interval '1 day' WHERE id = :id"), {"id": done}
        )
        db.session.commit()
    run(ada, done)
    with ada.app.app_context():
        purge_imports()
        assert {str(id_) for id_ in db.session.scalars(select(UploadPart.job_id))} == {waiting}
        assert db.session.scalar(select(func.count()).select_from(ImportRemark)) == 1
        db.session.execute(db.text("UPDATE imports SET created_at = now() - interval '31 days'"))
        db.session.commit()
        purge_imports()
        assert {str(id_) for id_ in db.session.scalars(select(Import.job_id))} == {waiting}
    assert ada.get(f"/jobs/{done}/failures.csv").status_code == 404
    assert ada.get(f"/jobs/{done}").json["result"]["failed"] == 1


def test_a_person_cannot_fill_the_database_with_waiting_files(
    ada: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_BYTES_WAITING", 2 * len(FILE))
    first = send_file(ada, FILE).json["id"]
    assert send_file(ada, FILE).status_code == 202
    assert send_file(ada, FILE).status_code == 409
    assert send_file(bob, FILE).status_code == 202
    run(ada, first)
    assert send_file(ada, FILE).status_code == 202


def test_the_same_key_asks_for_one_import_whatever_the_boundary(ada: Api) -> None:
    answers = [send(ada, {"file": file()}, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json["id"] == answers[1].json["id"]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    other = send(ada, {"file": file(FILE + b"\n")}, headers={"Idempotency-Key": "one"})
    assert field_errors(other) == {"header.Idempotency-Key": "key_reused"}


@pytest.mark.processes
def test_a_connection_that_is_cut_leaves_nothing(ada: Api, live: LiveServer) -> None:
    head = (
        "POST /api/v1/bookmarks/import HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: Bearer {ada.token}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        "Content-Length: 1000000\r\n\r\n--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"
    )
    with socket.create_connection((live.host, live.port), timeout=30) as connection:
        connection.sendall(head.encode() + FILE)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert ada.get("/jobs").json["total"] == 0
    assert parts_left(ada) == 0


def test_the_export_of_an_empty_account_is_an_import_of_nothing(ada: Api) -> None:
    job = run(ada, send_file(ada, b"").json["id"])
    assert (job["status"], job["result"]["found"], job["progress"]["message"]) == (
        "succeeded",
        0,
        "The file holds no bookmarks.",
    )
