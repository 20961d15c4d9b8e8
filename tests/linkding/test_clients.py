"""Clients of linkding from PyPI, unchanged, against a whole stack as `make run` starts it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import PASSWORD
from tests.support.processes import UNMEASURED, eventually, foreign_environment
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.integration, pytest.mark.processes]
CLIENTS = Path(sys.prefix, "linkding-clients")
SESSION = Path(__file__).with_name("aiolinkding_session.py")
ENTRY = "from linkding_cli.cli import APP; APP(prog_name='linkding')"
# No such host: nothing is read that would change the bookmark meanwhile.
URL = "https://linkding-cli.invalid/indexes"
NUMBERS = count(1)
# Beside other tests a stack starts slowly.
PATIENCE_SECONDS = 240


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """A stack of this file's own."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-linkding-") as path,
        RunningStack(Path(path, "var"), **UNMEASURED) as running,
    ):
        assert eventually(running.is_ready, PATIENCE_SECONDS), running.log
        yield running


@pytest.fixture(scope="module")
def address(stack: RunningStack) -> str:
    """What people type where a client asks for the address of linkding."""
    return f"{stack.url}/linkding"


@pytest.fixture
def token(stack: RunningStack) -> str:
    """An API token of a person who has nothing saved."""
    name = f"person{next(NUMBERS)}"
    person = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    session = send(stack, "auth/register", person)
    scopes = ["bookmarks:read", "bookmarks:write"]
    made = send(stack, "auth/tokens", {"name": "linkding", "scopes": scopes}, session["access_token"])
    return str(made["token"])


def send(stack: RunningStack, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    """POST to the API; the answer."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(f"{stack.url}/api/v1/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A Python process that sees the clients."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        env=foreign_environment(PYTHONPATH=str(CLIENTS), **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def undated(*bookmarks: dict[str, Any]) -> list[dict[str, Any]]:
    """Bookmarks without the time of their last change: the worker notes what became of their pages."""
    return [{name: value for name, value in bookmark.items() if name != "date_modified"} for bookmark in bookmarks]


def test_aiolinkding_keeps_bookmarks_here(address: str, token: str) -> None:
    done = run(str(SESSION), address, token)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    created = told["created"]
    assert (created["title"], created["unread"], created["tag_names"]) == ("Indexes", True, ["db", "reading"])
    assert [undated(*one["results"]) for one in (told["all"], told["found"])] == [undated(created)] * 2
    assert told["not found"] == {"count": 0, "next": None, "previous": None, "results": []}
    assert (told["updated"]["title"], told["updated"]["notes"]) == ("Indexes of PostgreSQL", "N")
    assert (told["updated"]["tag_names"], told["updated"]["unread"]) == (["db"], False)
    assert undated(told["single"]) == undated(told["updated"])
    assert [told[call] for call in ("archive", "unarchive", "delete")] == [None] * 3
    assert [one["id"] for one in told["archived"]["results"]] == [created["id"]]
    assert [tag["name"] for tag in told["tags"]["results"]] == ["db", "reading"]
    assert told["tag"] == told["tags"]["results"][0]
    assert told["made tag"]["name"] == "made"
    assert told["checked"]["bookmark"]["id"] == created["id"]
    assert told["checked"]["metadata"]["url"] == created["url"]
    assert told["profile"]["version"] == "1.46.2"
    assert told["left"]["count"] == 0
    assert told["refusals"] == ["UnknownEndpointError", "RequestError", "InvalidTokenError", "UnknownEndpointError"]


def test_linkding_cli_keeps_bookmarks_here(address: str, token: str) -> None:
    def linkding(*arguments: str) -> str:
        done = run("-c", ENTRY, *arguments, LINKDING_URL=address, LINKDING_TOKEN=token)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    options = ["--title", "Indexes", "--description", "D", "--notes", "N", "--tags", "db,reading", "--unread"]
    created = json.loads(linkding("bookmarks", "create", URL, *options))
    assert (created["title"], created["tag_names"], created["unread"]) == ("Indexes", ["db", "reading"], True)
    number = str(created["id"])
    assert undated(*json.loads(linkding("bookmarks", "all", "--limit", "1"))["results"]) == undated(created)
    assert json.loads(linkding("bookmarks", "all", "--query", "indexes or #nothing"))["count"] == 1
    assert json.loads(linkding("bookmarks", "all", "--query", "#nothing"))["count"] == 0
    updated = json.loads(linkding("bookmarks", "update", number, "--title", "Heaps", "--tags", "db"))
    assert (updated["title"], updated["notes"], updated["tag_names"]) == ("Heaps", "N", ["db"])
    assert undated(json.loads(linkding("bookmarks", "get", number))) == undated(updated)
    assert linkding("bookmarks", "archive", number) == f"Bookmark {number} archived.\n"
    assert [one["id"] for one in json.loads(linkding("bookmarks", "all", "--archived"))["results"]] == [created["id"]]
    assert linkding("bookmarks", "unarchive", number) == f"Bookmark {number} unarchived.\n"
    tags = json.loads(linkding("tags", "all"))["results"]
    assert [tag["name"] for tag in tags] == ["db", "reading"]
    assert json.loads(linkding("tags", "get", str(tags[0]["id"]))) == tags[0]
    assert json.loads(linkding("user", "profile"))["theme"] == "auto"
    assert linkding("bookmarks", "delete", number) == f"Bookmark {number} deleted.\n"
    assert json.loads(linkding("bookmarks", "all"))["count"] == 0
