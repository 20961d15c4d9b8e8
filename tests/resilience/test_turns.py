"""Background work in turns, with real processes: one person's slow links hold up nobody, whatever dies meanwhile."""

from __future__ import annotations

import signal
import time
from email.message import EmailMessage

import httpx
import psutil
import pytest

from tests.mail.reading import from_files
from tests.resilience.conftest import Site, Stack
from tests.resilience.test_recovery import _redis, _wait_for_end
from tests.support.processes import alive, eventually

pytestmark = [pytest.mark.untraced, pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
LANES = 5  # With what extraction is forked from.


def hosts(site: Site, name: str, number: int) -> list[str]:
    """Pages at hosts of their own."""
    return [site.url(f"{name}{place}").replace("127.0.0.1", f"127.0.9.{place + 1}") for place in range(number)]


def worker_of(stack: Stack) -> psutil.Process:
    return next(child for child in stack.children("backend", "worker") if child.ppid() == stack.process.pid)


def lanes_of(stack: Stack) -> int:
    """How many processes the worker keeps, if there is one."""
    workers = [child for child in stack.children("backend", "worker") if child.ppid() == stack.process.pid]
    return len(workers[0].children()) if workers else 0


def mails_to(stack: Stack, name: str) -> list[EmailMessage]:
    return [mail for mail in from_files(stack.data_dir / "mail") if mail["To"] == f"{name}@example.org"]


def test_another_persons_page_and_mail_wait_for_none_of_sixty_slow_links(stack: Stack, wide_site: Site) -> None:
    hog, other = stack.client("hog"), stack.client("patient")
    assert eventually(lambda: mails_to(stack, "patient"))  # The one that welcomes.
    wide_site.delay = 1.0
    items = [{"url": url} for url in hosts(wide_site, "slow", 60)]
    assert hog.post("bookmarks/bulk", json={"items": items}).json()["created"] == 60
    saved = other.post("bookmarks", json={"url": wide_site.url("urgent")}).json()
    other.post("auth/password/forgot", json={"email": "patient@example.org"})
    ended = _wait_for_end(other, [saved["id"]])
    assert ended[0]["capture"]["status"] == "captured"
    assert eventually(lambda: len(mails_to(stack, "patient")) == 2)
    # In the order of events: a worker takes at most 32 of one person at a time.
    order = list(wide_site.hits)
    assert order.index("urgent") <= 40
    assert hog.get("bookmarks", params={"capture_status": "pending"}).json()["total"] > 0
    health = httpx.get(f"{stack.url}/api/health/worker", trust_env=False).json()
    assert health["status"] == "healthy"


def test_what_waits_is_read_once_each_though_everything_dies_in_turn(stack: Stack, wide_site: Site) -> None:
    client = stack.client("unlucky")
    wide_site.delay = 0.3
    items = [{"url": url} for url in hosts(wide_site, "dying", 60)]
    saved = client.post("bookmarks/bulk", json={"items": items}).json()
    for round_ in range(3):
        time.sleep(0.5)
        doomed = worker_of(stack).children(recursive=True)
        for process in doomed[round_::2]:
            process.kill()
        _redis(stack).flushall()
    ended = _wait_for_end(client, [result["id"] for result in saved["results"]])
    assert {bookmark["capture"]["status"] for bookmark in ended} == {"captured"}
    assert client.get("bookmarks").json()["total"] == 60
    assert eventually(lambda: lanes_of(stack) == LANES)


def test_a_worker_that_is_stopped_hands_back_what_it_reads(stack: Stack, wide_site: Site) -> None:
    client = stack.client("stopped")
    wide_site.delay = 15.0
    saved = [client.post("bookmarks", json={"url": url}).json()["id"] for url in hosts(wide_site, "long", 3)]
    assert eventually(lambda: all(wide_site.hits[f"long{number}"] for number in range(3)))
    before = worker_of(stack)
    family = [before, *before.children(recursive=True)]
    before.send_signal(signal.SIGTERM)
    wide_site.delay = 0.0
    assert eventually(lambda: not any(alive(process.pid) for process in family), 30)
    ended = _wait_for_end(client, saved)
    # Handed back, and taken by the next worker as if for the first time.
    assert {bookmark["capture"]["attempts"] for bookmark in ended} == {1}
    assert {bookmark["capture"]["status"] for bookmark in ended} == {"captured"}
    assert "killing it" not in stack.written()


def test_a_lane_that_is_killed_comes_back_and_all_go_with_their_worker(stack: Stack) -> None:
    worker = worker_of(stack)
    first = worker.children()
    assert len(first) == LANES
    for process in first:
        process.kill()
    assert eventually(lambda: len([one for one in worker.children() if one not in first]) == LANES)
    family = worker.children(recursive=True)
    worker.kill()
    assert eventually(lambda: not any(alive(process.pid) for process in family))
    assert eventually(lambda: lanes_of(stack) == LANES)
