"""No process of a stack writes down what was told it in confidence, in whatever way it was used (R-LOG 5)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.mail.reading import from_files, links
from tests.resilience.conftest import Stack
from tests.support.api import PASSWORD
from tests.support.llm_server import LlmServer, running
from tests.support.processes import UNMEASURED, eventually
from tests.support.secrecy import secrets_in

pytestmark = [pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
STACK_SETTINGS = UNMEASURED
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
