"""What open streams of events cost the list route: `python -m benchmarks.events [--streams 20 200] [--threads]`.

One stack, as `make run` starts it. wrk loads the plain list of bookmarks in turns without streams and while so many
GET /jobs/{id}/events are held open and receive an event a second; ratios are medians of the ratios within rounds.
With `--threads`, for comparison, a second web server is loaded whose streams hold a thread each, as those of a plain
generator do. Needs `wrk` on the PATH.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg2

from benchmarks.generators import Load, Target, need_programs, run_wrk
from benchmarks.stack import RAISED_LIMITS, RunningStack, SessionAuth, another_web, new_person, running_stack

SETTINGS = {"EMBEDDING_PROVIDER": "none", "ACCESS_TOKEN_MINUTES": "1440", **RAISED_LIMITS}
REGISTRATIONS = {"REGISTRATIONS_PER_HOUR": "1000000"}
LIST = "/api/v1/bookmarks?page_size=20"
STREAMS_OF_A_PERSON = 10
LEAST_RATIO = 0.95
BOOKMARKS = 100


@dataclass(frozen=True)
class Watcher:
    """A person with a running job, and the token that watches it."""

    token: str
    job_id: str


@dataclass
class Received:
    """What open streams have received so far."""

    events: int = 0
    closed: int = 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[20, 200])
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="length of each run of wrk")
    parser.add_argument("--threads", action="store_true", help="hold a thread for each stream, for comparison")
    options = parser.parse_args()

    need_programs("wrk")
    with ExitStack() as running:
        stack = running.enter_context(running_stack("--rq-workers", "1", **SETTINGS, **REGISTRATIONS))
        url = stack.url
        if options.threads:
            url = running.enter_context(another_web(stack, configuration="benchmarks/held_gunicorn.py", **SETTINGS))
        reader = new_person(stack.url)
        save_bookmarks(reader)
        watchers = make_watchers(stack, -(-max(options.streams) // STREAMS_OF_A_PERSON))
        target = Target(f"{url}{LIST}", {"Authorization": f"Bearer {token_of(reader)}"})
        run_wrk(target, options.connections, 1)
        for number in options.streams:
            try:
                print("\n".join(measure(url, stack, target, watchers, number, options)), flush=True)
            except (TimeoutError, RuntimeError) as error:
                print(f"FAIL  {number} streams: {error}: they and the list could not be served together", flush=True)


def measure(
    url: str, stack: RunningStack, target: Target, watchers: list[Watcher], number: int, options: argparse.Namespace
) -> Iterator[str]:
    """The lines about the list beside so many streams."""
    pairs: list[tuple[Load, Load]] = []
    events = closed = 0
    for _ in range(options.rounds):
        alone = run_wrk(target, options.connections, options.seconds)
        with open_streams(url, watchers, number) as received, changing_jobs(stack):
            pairs.append((alone, run_wrk(target, options.connections, options.seconds)))
            events, closed = events + received.events, closed + received.closed
    ratio = statistics.median(beside.per_second / alone.per_second for alone, beside in pairs)
    faults = sum(load.faults for pair in pairs for load in pair)
    speeds = (statistics.median(load.per_second for load in loads) for loads in zip(*pairs, strict=True))
    slowest = (statistics.median(load.p99 for load in loads) for loads in zip(*pairs, strict=True))
    rate = events / number / options.seconds / options.rounds
    yield f"{number} streams: list {' → '.join(f'{each:.0f}/s' for each in speeds)}, ratio {ratio:.3f}"
    yield f"  p99 {' → '.join(f'{each:.1f} ms' for each in slowest)}; {faults} requests failed"
    yield f"  each stream received {rate:.2f} events/s; {closed} were closed"
    sound = not faults and not closed
    yield f"{'PASS' if sound and ratio >= LEAST_RATIO else 'FAIL'}  ratio beside {number} streams ≥ {LEAST_RATIO}"


@contextmanager
def open_streams(url: str, watchers: list[Watcher], number: int) -> Iterator[Received]:
    """So many streams, read by a thread as their events come."""
    address = (str(urlsplit(url).hostname), int(urlsplit(url).port or 0))
    received, stop = Received(), threading.Event()
    with selectors.DefaultSelector() as selector:
        streams = [_open(address, watchers[place // STREAMS_OF_A_PERSON]) for place in range(number)]
        for stream in streams:
            # What it costs to open them is no part of what it costs to hold them.
            stream.recv(65536)
            selector.register(stream, selectors.EVENT_READ)
        thread = threading.Thread(target=_read, args=(selector, received, stop))
        thread.start()
        try:
            yield received
        finally:
            stop.set()
            thread.join()
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
    time.sleep(1.5)  # The server notices, and releases the slots.


@contextmanager
def changing_jobs(stack: RunningStack) -> Iterator[None]:
    """All jobs go on by one step a second, as those of imports do."""
    stop = threading.Event()

    def change() -> None:
        while not stop.wait(1):
            _execute(stack, "UPDATE jobs SET done = done + 1 WHERE status = 'running'")

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def make_watchers(stack: RunningStack, number: int) -> list[Watcher]:
    """So many people, each with a job that runs as long as the measurement."""
    watchers = []
    for _ in range(number):
        person = new_person(stack.url)
        profile: dict[str, Any] = person.get("profile").raise_for_status().json()
        job_id = str(uuid4())
        _execute(
            stack,
            "INSERT INTO jobs (id, organization_id, user_id, kind, status, lease_until)"
            " SELECT %s, personal_organization_id, id, 'import', 'running', now() + interval '1 day'"
            " FROM users WHERE id = %s",
            job_id,
            profile["id"],
        )
        watchers.append(Watcher(token_of(person), job_id))
    return watchers


def save_bookmarks(client: httpx.Client) -> None:
    """A page and more of bookmarks."""
    items = [{"url": f"https://example.org/{n}", "title": f"Page {n}", "capture": False} for n in range(BOOKMARKS)]
    client.post("bookmarks/bulk", content=json.dumps({"items": items}), headers={"Content-Type": "application/json"})


def token_of(client: httpx.Client) -> str:
    """The access token that a client sends."""
    assert isinstance(client.auth, SessionAuth)
    return client.auth.access_token


def _open(address: tuple[str, int], watcher: Watcher) -> socket.socket:
    connection = socket.create_connection(address, timeout=10)
    path = f"/api/v1/jobs/{watcher.job_id}/events"
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {watcher.token}\r\n\r\n".encode()
    )
    return connection


def _read(selector: selectors.BaseSelector, received: Received, stop: threading.Event) -> None:
    while not stop.is_set():
        for key, _ in selector.select(0.1):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            piece = connection.recv(65536)
            received.events += piece.count(b"data: ")
            if not piece:
                received.closed += 1
                selector.unregister(connection)
                connection.close()


def _execute(stack: RunningStack, statement: str, *values: object) -> None:
    connection = psycopg2.connect(stack.addresses()["DATABASE_URL"].replace("postgresql+psycopg2", "postgresql"))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
    finally:
        connection.close()


if __name__ == "__main__":
    main()
