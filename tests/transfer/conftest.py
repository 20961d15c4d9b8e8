"""Imports as tests ask for them: files of a format of their own, run where the test runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.transfer import formats
from backend.transfer.jobs import run_import
from tests.support.api import Api
from tests.transfer.json_lines import JSON_LINES, lines_file

Told = dict[str, Any]


@pytest.fixture(autouse=True)
def json_lines_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON lines are a format, beside those that there are."""
    for module in ("service", "importing"):
        monkeypatch.setattr(f"backend.transfer.{module}.format_named", _named(formats.format_named))
    monkeypatch.setattr("backend.transfer.service.detect_format", _detected(formats.detect_format))


def _named(usual: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda name: JSON_LINES if name == JSON_LINES.name else usual(name)


def _detected(usual: Callable[..., Any]) -> Callable[..., Any]:
    return lambda head, file: JSON_LINES if JSON_LINES.detect(head) else usual(head, file)


def send_file(person: Api, content: bytes, query: dict[str, Any] | None = None, **fields: Any) -> TestResponse:
    """Ask for the import of a file."""
    # Werkzeug's client would leave a temporary file open that it puts a large form into.
    texts = [f'form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    file = b'form-data; name="file"; filename="links.txt"\r\n\r\n' + content
    body = b"".join(b"--=+=\r\nContent-Disposition: " + part + b"\r\n" for part in [*texts, file]) + b"--=+=--\r\n"
    sent = {"data": body, "content_type": 'multipart/form-data; boundary="=+="'}
    return person.request("POST", "/bookmarks/import", query_string=query or {}, **sent)


def ask(person: Api, records: Any, **fields: Any) -> str:
    """Ask for an import of records; the id of its job."""
    answer = send_file(person, lines_file(records), **fields)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert answer.headers["Location"].endswith(answer.json["id"])
    return str(answer.json["id"])


def run(person: Api, job_id: str) -> Told:
    """Have the worker take up a job once; what is told of it then."""
    with person.app.app_context():
        run_import(job_id)
        db.session.remove()
    return told(person, job_id)


def told(person: Api, job_id: str) -> Told:
    """What is told of a job."""
    answer = person.get(f"/jobs/{job_id}")
    assert answer.status_code == 200
    return answer.json


def imported(person: Api, records: Any, **fields: Any) -> Told:
    """Import records to the end; the result."""
    job = run(person, ask(person, records, **fields))
    assert job["status"] == "succeeded", job
    result: Told = job["result"]
    assert_adds_up(result)
    return result


def assert_adds_up(result: Told) -> None:
    """No line vanishes."""
    assert result["found"] == sum(result[name] for name in ("created", "duplicates", "skipped", "failed"))
    assert len(result["failures"]) + result["failures_omitted"] == result["skipped"] + result["failed"]


def only(person: Api) -> Told:
    """The one bookmark that the person has."""
    [found] = person.get("/bookmarks", is_archived="any").json["items"]
    whole: Told = person.get(f"/bookmarks/{found['id']}").json
    return whole
