"""What slow clients cost the others: `python -m benchmarks.slow_clients [DIRECTORY] [--rounds R] [--seconds S]`.

Starts a stack of this checkout, or of DIRECTORY, and loads short answers with wrk: alone, and beside each kind of slow
clients in turn, alone and beside in one round, so that whatever else the machine does meets both. While they are there,
`GET /api/health/live` is asked over new connections. Prints medians of the rounds. Needs `wrk` on the PATH.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.generators import Load, Target, need_programs, run_wrk
from benchmarks.http import LIST, SETTINGS, Collection
from benchmarks.stack import ROOT, new_person, running_stack

CONNECTIONS = 16
LIVE_TIMEOUT, LIVE_ROUNDS = 40.0, 10
FEED_SECONDS = 0.25
SAVED = 300
HALF_OPEN = b"GET / HTTP/1.1\r\nHost:"


@dataclass(frozen=True)
class Slow:
    """So many clients that send an opening, and then a piece every quarter of a second."""

    name: str
    opening: bytes
    number: int
    piece: bytes = b""
    receive_bytes: int | None = None


@dataclass
class Round:
    """One round: the load alone, the load beside slow clients, and how long `live` took meanwhile."""

    alone: Load
    beside: Load
    live: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?", default=ROOT, help="another checkout")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--kinds", nargs="+", help="measure only kinds whose names have one of these words")
    options = parser.parse_args()
    need_programs("wrk")
    with ExitStack() as running:
        stack = running.enter_context(running_stack("--rq-workers", "1", root=options.directory.resolve(), **SETTINGS))
        collection = Collection(stack, new_person(stack.url), SAVED)
        collection.client.post("bookmarks/bulk", json={"bookmarks": [saved(number) for number in range(SAVED)]})
        for slow in kinds_of(collection.headers["Authorization"]):
            if not options.kinds or any(word in slow.name for word in options.kinds):
                print(
                    line(slow, [measure(collection, slow, options.seconds) for _ in range(options.rounds)]), flush=True
                )


def saved(number: int) -> dict[str, object]:
    """One of the bookmarks that are read."""
    return {"url": f"https://example.org/{number}", "title": f"Page {number}", "capture": False, "notes": "n" * 2_000}


def kinds_of(authorization: str) -> list[Slow]:
    """The kinds of slow clients."""
    head = f"Host: x\r\nAuthorization: {authorization}\r\n"
    upload = (
        f"POST /api/v1/bookmarks HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
    )
    chunked = f"POST /api/v1/bookmarks HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n"
    large = f"GET /api/v1/bookmarks/export?format=json HTTP/1.1\r\n{head}\r\n"
    live = b"GET /api/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    return [
        Slow("500 half-open", HALF_OPEN, 500),
        Slow("200 that send a header byte by byte", HALF_OPEN + b" x\r\nA: ", 200, b"a"),
        Slow("100 slow uploads", upload.encode(), 100, b" " * 500),
        Slow("100 slow uploads in chunks", chunked.encode(), 100, b"1F4\r\n" + b" " * 500 + b"\r\n"),
        Slow("200 idle after a request", live, 200),
        Slow("60 that never read a large response", large.encode(), 60, receive_bytes=4_096),
    ]


def measure(collection: Collection, slow: Slow, seconds: float) -> Round:
    """Load alone, then beside slow clients."""
    target: Target = collection.target(LIST)
    run_wrk(target, CONNECTIONS, 1)
    alone = run_wrk(target, CONNECTIONS, seconds)
    address = httpx.URL(collection.stack.url)
    with clients((address.host, address.port or 80), slow):
        live = [time_live(collection.stack.url) for _ in range(LIVE_ROUNDS)]
        return Round(alone, run_wrk(target, CONNECTIONS, seconds), live)


def time_live(url: str) -> float:
    """How long one answer takes over a new connection, in seconds; no answer counts as the longest wait."""
    began = time.monotonic()
    with suppress(httpx.TransportError):
        httpx.get(f"{url}/api/health/live", timeout=LIVE_TIMEOUT, trust_env=False).raise_for_status()
        return time.monotonic() - began
    return LIVE_TIMEOUT


@contextmanager
def clients(address: tuple[str, int], slow: Slow) -> Iterator[None]:
    """Keep so many of them there: who is dropped comes again."""
    is_over = threading.Event()
    thread = threading.Thread(target=keep, args=(address, slow, is_over.is_set), daemon=True)
    thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def keep(address: tuple[str, int], slow: Slow, is_over: Callable[[], bool]) -> None:
    """Open connections, feed them, and open others for those that the server has closed."""
    with selectors.DefaultSelector() as selector:
        while not is_over():
            while len(selector.get_map()) < slow.number:
                selector.register(connect(address, slow), selectors.EVENT_READ)
            for connection in [key.fileobj for key in selector.get_map().values()]:
                if not feed(connection, slow):  # type: ignore[arg-type]
                    selector.unregister(connection)
                    connection.close()  # type: ignore[union-attr]
            time.sleep(FEED_SECONDS)
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]


def connect(address: tuple[str, int], slow: Slow) -> socket.socket:
    """Open one connection."""
    connection = socket.socket()
    if slow.receive_bytes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, slow.receive_bytes)
    connection.settimeout(LIVE_TIMEOUT)
    connection.connect(address)
    connection.sendall(slow.opening)
    connection.setblocking(False)
    return connection


def feed(connection: socket.socket, slow: Slow) -> bool:
    """Send the next piece; whether the connection is still open. What never reads does not look."""
    try:
        if slow.piece:
            connection.send(slow.piece)
        return slow.receive_bytes is not None or bool(connection.recv(65_536))
    except BlockingIOError:
        return True
    except OSError:
        return False


def line(slow: Slow, rounds: Sequence[Round]) -> str:
    """A kind's line of the table."""
    alone = statistics.median(each.alone.p95 for each in rounds)
    beside = statistics.median(each.beside.p95 for each in rounds)
    ratio = statistics.median(each.beside.p95 / each.alone.p95 for each in rounds)
    live = sorted(seconds for each in rounds for seconds in each.live)
    faults = sum(each.beside.faults for each in rounds)
    return (
        f"{slow.name:<38} p95 alone {alone:7.1f} ms, beside {beside:7.1f} ms, ratio {ratio:5.2f}; "
        f"live median {live[len(live) // 2]:.3f} s, longest {live[-1]:.3f} s{f'; FAULTS {faults}' if faults else ''}"
    )


if __name__ == "__main__":
    main()
