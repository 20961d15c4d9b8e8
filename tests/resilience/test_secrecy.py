"""What the processes of a stack log: nothing that is secret, and each request from end to end (R-LOG 2, 5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg2
import pytest

from tests.mail.reading import from_files, links
from tests.resilience.conftest import Stack
from tests.support.api import PASSWORD
from tests.support.llm_server import LlmServer, running
from tests.support.log_fields import documented_fields
from tests.support.processes import eventually, free_port
from tests.support.secrecy import secrets_in

pytestmark = [pytest.mark.untraced, pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
KEY = "sk-a-secret-key-1234"
NEW = "another password 7"


@pytest.fixture
def llm() -> Iterator[LlmServer]:
    """A provider that says the key aloud while it refuses it."""
    with running() as server:
        server.will_answer(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
        yield server


def use_logins(person: httpx.Client) -> list[str]:
    """Right and wrong, in fields and places where they belong and where they do not; the tokens."""
    session: dict[str, str] = person.post("auth/login", json={"login": "teller", "password": PASSWORD}).json()
    tokens = [session["access_token"], session["refresh_token"]]
    assert person.post("auth/login", json={"login": PASSWORD, "password": "wrong horse battery"}).status_code == 401
    assert person.post("auth/refresh", json={"refresh_token": tokens[1]}).status_code == 200
    for token in tokens:
        for wrong in (token, f"{token}x"):
            person.post("auth/refresh", json={"refresh_token": wrong})
            person.get("profile", params={"token": wrong}, headers={"Authorization": f"Bearer {wrong}"})
    return tokens


def use_an_api_token(person: httpx.Client) -> str:
    body = {"name": "script", "scopes": ["bookmarks:read"]}
    token = str(person.post("auth/tokens", json=body).json()["token"])
    for sent, status in ((token, 200), (token.swapcase(), 401), (f"{token}x", 401)):
        headers = {"Authorization": f"Bearer {sent}"}
        assert person.get("bookmarks", params={"q": sent}, headers=headers).status_code == status
    return token


def use_a_key(person: httpx.Client, llm: LlmServer) -> None:
    assert person.put("profile/ai", json={"base_url": llm.base_url, "model": "m", "api_key": KEY}).status_code == 200
    task = person.post("tasks", json={"title": "Write the report"}).json()["id"]
    asked = (("profile/ai/test", {}), (f"tasks/{task}/breakdown", {"engine": "llm"}))
    for number, (path, body) in enumerate(asked):
        job = person.post(path, json=body).json()["id"]
        assert eventually(lambda job=job: person.get(f"jobs/{job}").json()["status"] in ("succeeded", "failed"), 60)
        assert llm.asked[number][1]["Authorization"] == f"Bearer {KEY}"


def use_mails(stack: Stack, person: httpx.Client) -> list[str]:
    """The worker's files instead of mails: one from registering, one from a forgotten password; their tokens."""
    assert person.post("auth/password/forgot", json={"email": "teller@example.org"}).status_code == 202
    folder = stack.data_dir / "mail"
    assert eventually(lambda: len(links(from_files(folder))) == 2, 60)
    tokens = dict(links(from_files(folder)))
    verify, reset = tokens["/verify-email"], tokens["/reset-password"]
    for status in (204, 422):
        assert person.post("auth/email/verify", json={"token": verify}).status_code == status
        body = {"token": reset, "password": NEW}
        assert person.post("auth/password/reset", json=body).status_code == status
    return [verify, reset]


def test_nothing_that_is_secret_is_logged(stack: Stack, llm: LlmServer) -> None:
    person = stack.client("teller")
    secrets = [*use_logins(person), use_an_api_token(person), KEY, NEW, PASSWORD]
    use_a_key(person, llm)
    secrets += use_mails(stack, person)
    # So that there is something to look through: the access log, the worker, and the file of each.
    lines = ("POST /api/v1/auth/login 401", "POST /api/v1/auth/password/reset 204", "mail sent")
    assert eventually(lambda: all(stack.written().count(line) >= 2 for line in lines), 10)
    assert secrets_in(stack.written(), [*secrets, *stack.secrets()]) == set()


def lines_with(stack: Stack, request_id: str) -> list[dict[str, Any]]:
    """What `grep REQUEST_ID logs/*.log` finds."""
    files = (stack.data_dir / "logs").glob("app_*.log")
    return [json.loads(line) for path in files for line in path.read_text().splitlines() if request_id in line]


def test_a_request_is_followed_from_its_response_to_the_exception_of_its_job_by_one_search(stack: Stack) -> None:
    person = stack.client("follower")
    with owner_of(stack) as cursor:
        cursor.execute("ALTER TABLE bundles RENAME TO misplaced")
    response = person.post("profile/export")
    assert response.status_code == 202
    request_id = response.headers["X-Request-ID"]
    assert eventually(lambda: any("exception" in line for line in lines_with(stack, request_id)), 30)
    with owner_of(stack) as cursor:
        cursor.execute("ALTER TABLE misplaced RENAME TO bundles")
    access, *others = sorted(lines_with(stack, request_id), key=lambda line: line["timestamp"])
    assert (access["process"], access["method"], access["status"]) == ("web", "POST", 202)
    [failure] = [line for line in others if "exception" in line]
    assert failure["process"] == "worker.work"
    assert (failure["level"], failure["kind"], failure["attempt"]) == ("ERROR", "personal_export", 1)
    assert failure["job_id"] == response.json()["id"]
    assert (failure["user_id"], failure["organization_id"]) == (access["user_id"], access["organization_id"])
    assert 'relation "bundles" does not exist' in failure["exception"]
    assert {name for line in lines_with(stack, "") for name in line} <= documented_fields()


def test_a_saved_link_is_followed_into_its_capture(stack: Stack) -> None:
    person = stack.client("saver")
    response = person.post("bookmarks", json={"url": f"http://127.0.0.1:{free_port()}/nobody-listens"})
    assert response.status_code == 201
    request_id = response.headers["X-Request-ID"]
    assert eventually(lambda: any(line["message"] == "capture ended" for line in lines_with(stack, request_id)), 30)
    ended = next(line for line in lines_with(stack, request_id) if line["message"] == "capture ended")
    assert ended["process"] == "worker.capture"
    assert ended["bookmark_id"] == response.json()["id"]
    assert ended["outcome"] in ("pending", "failed")


@contextmanager
def owner_of(stack: Stack) -> Iterator[psycopg2.extensions.cursor]:
    """A cursor of who may change the tables, in a transaction."""
    url = json.loads((stack.data_dir / "stack.json").read_text())["DATABASE_MIGRATION_URL"]
    connection = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
    with connection, connection.cursor() as cursor:
        yield cursor
    connection.close()
