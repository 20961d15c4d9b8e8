"""Writes that are read back at once through other processes, and a crowd that reads the same all the while."""

from __future__ import annotations

import http.client
import itertools
import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import psutil

LIST = "bookmarks?page_size=100"
FIRST_BOOKMARKS = 5
TRIES_PER_PROCESS = 40


class UnexpectedAnswer(Exception):
    """A status that means neither what was asked for nor an old answer; the lane cannot know what is true now."""


class Asks(Protocol):
    """A connection that is kept open; `process` is the id of the process at its other end."""

    process: int

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of the answer."""


@dataclass
class Findings:
    """What was seen so far: finished pairs, answers to the crowd, whose processes, and what was wrong."""

    pairs: int = 0
    reads: int = 0
    processes: set[int] = field(default_factory=set)
    stale: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: Findings) -> None:
        """Take in what somebody else has seen."""
        self.pairs += other.pairs
        self.reads += other.reads
        self.processes |= other.processes
        self.stale += other.stale
        self.faults += other.faults


class Connection:
    """A connection to a gunicorn process of this machine, with somebody's token."""

    def __init__(self, url: str, token: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.ask("GET", "tags")
        self.process = self._find_process()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        content = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1/{path}", content, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _find_process(self) -> int:
        here, there = self._connection.sock.getsockname()[1], self._connection.port
        for each in psutil.net_connections("tcp"):
            if each.raddr and each.pid and (each.laddr.port, each.raddr.port) == (there, here):
                return int(each.pid)
        raise RuntimeError("no process of this machine is at the other end of the connection")


@contextmanager
def spread(url: str, token: str, processes: int) -> Iterator[list[Connection]]:
    """A connection to each of so many processes of the server; to two at least.

    Raises:
        RuntimeError: one and the same process took them all.
    """
    opened: list[Connection] = []
    try:
        for _ in range(processes * TRIES_PER_PROCESS):
            if len({each.process for each in opened}) == processes:
                break
            opened.append(Connection(url, token))
        found = {each.process: each for each in opened}
        if len(found) < 2:
            raise RuntimeError(f"{len(opened)} connections all went to the same process")
        yield list(found.values())
    finally:
        for each in opened:
            each.close()


class Lane:
    """A person whose bookmarks nobody else writes, and what they must be: titles by id."""

    def __init__(self, connections: Sequence[Asks]) -> None:
        """The connections go to different processes; they take turns at writing."""
        self.findings = Findings(processes={each.process for each in connections})
        self.titles: dict[int, str] = {}
        # Number of the last change of the watched bookmark that was answered for.
        self.acknowledged = 0
        self._connections = connections
        self._turns = itertools.cycle(connections)
        self._numbers = itertools.count(1)
        for _ in range(FIRST_BOOKMARKS):
            self._create(connections[0], next(self._numbers))
        self.watched = min(self.titles)
        self._change(connections[0], next(self._numbers))

    def write_and_read(self, stop: threading.Event) -> None:
        """Pair after pair until told to stop; an unexpected answer or a broken connection ends it, as a fault."""
        try:
            while not stop.is_set():
                self.pair()
        except (UnexpectedAnswer, OSError, http.client.HTTPException) as error:
            self.findings.faults[f"{type(error).__name__} {error}"] += 1

    def pair(self) -> None:
        """One write, and reading it back through every other process.

        Raises:
            UnexpectedAnswer: the write was refused, or a read was answered with neither 200 nor 404.
        """
        number, writer = next(self._numbers), next(self._turns)
        match number % 4:
            case 0:
                touched = self._create(writer, number)
            case 2 if len(self.titles) > FIRST_BOOKMARKS:
                touched = self._delete(writer)
            case _:
                touched = self._change(writer, number)
        for reader in self._connections:
            if reader is not writer:
                self._read_back(reader, touched)
        self.findings.pairs += 1

    def watch(self, connection: Asks, findings: Findings, stop: threading.Event) -> None:
        """Read the watched bookmark and the list until told to stop: neither may be older than what was promised."""
        try:
            while not stop.is_set():
                self.look(connection, findings)
        except (UnexpectedAnswer, OSError, http.client.HTTPException) as error:
            findings.faults[f"{type(error).__name__} {error}"] += 1

    def look(self, connection: Asks, findings: Findings) -> None:
        """One reading of both."""
        for path in (f"bookmarks/{self.watched}", LIST):
            promised = self.acknowledged
            shown = _read(connection, path).get(self.watched, "nothing 0")
            findings.reads += 1
            if int(shown.rpartition(" ")[2]) < promised:
                findings.stale.append(f"the crowd saw {shown!r} after change {promised} was promised: GET {path}")

    def _create(self, writer: Asks, number: int) -> int:
        title = f"created {number}"
        body = {"url": f"https://pairs.example/{secrets.token_hex(8)}", "title": title, "capture": False}
        id_ = int(_write(writer, "POST", "bookmarks", body, 201)["id"])
        self.titles[id_] = title
        return id_

    def _change(self, writer: Asks, number: int) -> int:
        title = f"changed {number}"
        _write(writer, "PATCH", f"bookmarks/{self.watched}", {"title": title}, 200)
        self.titles[self.watched] = title
        self.acknowledged = number
        return self.watched

    def _delete(self, writer: Asks) -> int:
        id_ = max(self.titles)
        _write(writer, "DELETE", f"bookmarks/{id_}?permanent=true", None, 204)
        del self.titles[id_]
        return id_

    def _read_back(self, reader: Asks, id_: int) -> None:
        alone = {id_: self.titles[id_]} if id_ in self.titles else {}
        for path, wanted in ((f"bookmarks/{id_}", alone), (LIST, self.titles)):
            shown = _read(reader, path)
            if shown != wanted:
                self.findings.stale.append(f"GET {path} showed {shown}, wanted was {wanted}")


def _write(writer: Asks, method: str, path: str, body: object, expected: int) -> Any:
    status, answer = writer.ask(method, path, body)
    if status != expected:
        raise UnexpectedAnswer(f"{method} {status}")
    return answer


def _read(reader: Asks, path: str) -> dict[int, str]:
    """Titles by id, of a list or of one; of one that is not there, none."""
    status, body = reader.ask("GET", path)
    if status == 404 and path != LIST:
        return {}
    if status != 200:
        raise UnexpectedAnswer(f"GET {status}")
    return {one["id"]: one["title"] for one in (body["items"] if path == LIST else [body])}
