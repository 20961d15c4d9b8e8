"""What `.ci/interpreters` runs with each Python: start `up`, use it by HTTP, stop it. Needs no package of the tests."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click

from backend.local_stack.redis import find_redis
from backend.local_stack.servers import ServerError
from tests.support.processes import eventually
from tests.support.stack import RunningStack

PERSON = {"email": "ada@example.org", "username": "ada", "password": "a long passphrase of Ada"}
LINK = {"url": "https://example.org/", "title": "An interpreter of many", "capture": False}


def send(url: str, body: object = None, token: str = "") -> Any:
    """Send a request and return the body of its response; a refusal raises."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = Request(url, None if body is None else json.dumps(body).encode(), headers)
    with urlopen(request, timeout=20) as response:
        return json.load(response)


def use(stack: RunningStack) -> None:
    """Save a link, find it, and have the worker write an export."""
    api = f"{stack.url}/api/v1"
    token = send(f"{api}/auth/register", PERSON)["access_token"]
    saved = send(f"{api}/bookmarks", LINK, token)
    found = send(f"{api}/search?q=interpreter", token=token)
    assert [item["bookmark"]["id"] for item in found["items"]] == [saved["id"]], found
    job = send(f"{api}/profile/export", {}, token)
    assert eventually(lambda: send(f"{api}/jobs/{job['id']}", token=token)["status"] == "succeeded", 60), stack.log


def main() -> None:
    """Fail unless a stack starts, works and stops."""
    try:
        find_redis()
    except ServerError as error:
        click.echo(f"not started: {error}")
        return
    with tempfile.TemporaryDirectory(prefix="fuze-start-up-") as directory:
        with RunningStack(Path(directory) / "var") as stack:
            use(stack.wait_ready())
            assert stack.stop() == 0, stack.log
        assert "Traceback" not in stack.log, stack.log
    click.echo("started, used and stopped")


if __name__ == "__main__":
    sys.exit(main())
