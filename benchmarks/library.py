"""The real links in an organization of several people, kept in a data directory: loaded once, measured on copies.

A measurement changes what it measures (projects, what was learned from feedback), so each works on a copy of the
directory, and finds it as it was loaded.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import httpx

from benchmarks.corpora import load_links
from benchmarks.loading import save_all, wait_until_embedded, wait_until_quiet
from benchmarks.stack import RAISED_LIMITS, RunningStack, log_in, register, running_stack

SETTINGS = {"ACCESS_TOKEN_MINUTES": "1440", **RAISED_LIMITS}
PEOPLE = 4
SETTLE_SECONDS = 20.0
MAIL_SECONDS = 60.0
KEPT = "library.json"


@dataclass(frozen=True)
class Library:
    """All links in one organization; `ids` are the bookmarks' in the order of the data, `people` its members."""

    url: str
    people: list[httpx.Client]
    ids: list[int]
    with_tags: bool
    stack: RunningStack | None

    @property
    def owner(self) -> httpx.Client:
        """Who saved everything."""
        return self.people[0]


@contextmanager
def kept_library(data_dir: Path | None, with_tags: bool) -> Iterator[Path]:
    """The directory that holds a library: `data_dir`, or one that is thrown away. Loaded where it holds none yet."""
    place = nullcontext(str(data_dir)) if data_dir else tempfile.TemporaryDirectory(prefix="fuze-library-")
    with place as directory:
        if not (Path(directory) / KEPT).exists():
            load_library(Path(directory), with_tags)
        yield Path(directory)


@contextmanager
def open_library(kept: Path, with_tags: bool, base_url: str | None = None) -> Iterator[Library]:
    """The library of a directory, on a copy of it; or, at `base_url`, on a stack that runs on the directory itself.

    Raises:
        ValueError: the directory holds a library of the other kind.
    """
    if base_url:
        yield _entered(base_url.rstrip("/"), kept, with_tags, None)
        return
    with tempfile.TemporaryDirectory(prefix="fuze-library-") as place:
        copy = Path(place) / "data"
        subprocess.run(["cp", "-a", str(kept), str(copy)], check=True)
        with running_stack(data_dir=copy, **SETTINGS) as stack:
            yield _entered(stack.url, copy, with_tags, stack)


def load_library(data_dir: Path, with_tags: bool) -> None:
    """Save all links in a new organization of a new stack on `data_dir`, wait for the worker, stop the stack."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with running_stack(data_dir=data_dir, **SETTINGS) as stack:
        accounts = [(f"reader{number}", secrets.token_urlsafe(16)) for number in range(PEOPLE)]
        owner = _make_team(stack, accounts)
        saved = save_all(owner, library_items(load_links(), with_tags))
        print(f"{dict(saved.ends)} in {saved.seconds:.1f} s", flush=True)
        print(f"all embedded {wait_until_embedded(stack.url):.0f} s after the last was saved", flush=True)
        wait_until_quiet(stack.url, SETTLE_SECONDS)
        kept = {
            "with_tags": with_tags,
            "organization_id": int(owner.headers["X-Organization-ID"]),
            "accounts": accounts,
            "ids": saved.ids,
        }
    # Only now is everything written down.
    (data_dir / KEPT).write_text(json.dumps(kept))


def library_items(links: Iterable[dict[str, object]], with_tags: bool) -> Iterator[dict[str, object]]:
    """The links as POST /bookmarks takes them; their tags are headings of the lists, which give sections away."""
    for link in links:
        yield link if with_tags else {name: value for name, value in link.items() if name != "tags"}


def _entered(url: str, data_dir: Path, with_tags: bool, stack: RunningStack | None) -> Library:
    kept = json.loads((data_dir / KEPT).read_text())
    if kept["with_tags"] != with_tags:
        raise ValueError(f"{data_dir} was loaded {'with' if kept['with_tags'] else 'without'} tags")
    people = [log_in(url, username, password) for username, password in kept["accounts"]]
    for client in people:
        client.headers["X-Organization-ID"] = str(kept["organization_id"])
    return Library(url, people, kept["ids"], with_tags, stack)


def _make_team(stack: RunningStack, accounts: list[tuple[str, str]]) -> httpx.Client:
    owner, *others = [register(stack.url, *account) for account in accounts]
    made = owner.post("organizations", json={"name": "Readers"}).raise_for_status().json()
    for client, (username, _) in zip(others, accounts[1:], strict=True):
        body = {"email": f"{username}@example.org", "role": "editor"}
        owner.post(f"organizations/{made['id']}/invitations", json=body).raise_for_status()
        client.post("invitations/accept", json={"token": _mailed_token(stack, body["email"])}).raise_for_status()
    owner.headers["X-Organization-ID"] = str(made["id"])
    return owner


def _mailed_token(stack: RunningStack, address: str) -> str:
    """The token in the invitation to an address; mails are files where no mail server is set."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        for path in (stack.data_dir / "mail").glob("*.eml"):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            body = mail.get_body(("plain",))
            found = re.search(r"/accept-invitation\?token=(\S+)", body.get_content()) if body else None
            if found and address in str(mail["To"]):
                return found.group(1)
        time.sleep(0.2)
    raise TimeoutError(f"no invitation was mailed to {address}")
