"""A stream that is slow, full or gone costs lines, and never a process (R-LOG)."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from backend.observability import line_stream
from backend.observability.line_stream import LineStream
from backend.observability.log_lines import json_line

pytestmark = pytest.mark.unit
LINE = "x" * 99 + "\n"


def notice(text: str) -> str:
    return f"notice: {text}\n"


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_stream, "PATIENCE_SECONDS", 0.05)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    readable, writable = os.pipe()
    yield readable, writable
    os.close(readable)
    os.close(writable)


def drain(readable: int) -> str:
    os.set_blocking(readable, False)
    received = b""
    try:
        while piece := os.read(readable, 1 << 20):
            received += piece
    except BlockingIOError:
        pass
    return received.decode()


@pytest.mark.parametrize("can_open", [True, False], ids=["opened again", "asked first"])
def test_a_reader_that_stands_still_holds_nobody_up_and_is_told_what_it_missed(
    pipe: tuple[int, int], patience: None, monkeypatch: pytest.MonkeyPatch, can_open: bool
) -> None:
    if not can_open:
        monkeypatch.setattr(line_stream, "_open_without_blocking", lambda descriptor: None)
    readable, writable = pipe
    stream = LineStream(notice, writable)
    sent = 2_000  # A pipe takes 64 KiB.
    for _ in range(sent):
        stream.write(LINE)
    before = drain(readable)
    assert 0 < before.count(LINE) < sent
    stream.write(LINE)
    after = drain(readable)
    assert after.endswith(LINE)
    lines = (before + after).splitlines()
    missing = [re.fullmatch(r"notice: (\d+) lines were not written: .*", line) for line in lines if line != LINE[:-1]]
    assert (before + after).count(LINE) + sum(int(found[1]) for found in missing if found) == sent + 1
    assert all(missing)
    # Others that write to the same pipe are not affected by how this class does.
    assert os.get_blocking(writable)
    stream.close()


def test_a_slow_reader_gets_everything(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_stream, "PATIENCE_SECONDS", 20)
    readable, writable = pipe
    stream = LineStream(notice, writable)
    received: list[bytes] = []

    def read() -> None:
        while sum(map(len, received)) < 2_000 * len(LINE):
            time.sleep(0.001)
            received.append(os.read(readable, 8192))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(2_000):
        stream.write(LINE)
    reader.join(20)
    assert b"".join(received).decode() == LINE * 2_000
    stream.close()


def test_lines_of_several_processes_never_mix(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_stream, "PATIENCE_SECONDS", 20)
    readable, writable = pipe
    stream = LineStream(notice, writable)
    children = []
    for letter in "abcd":
        children.append(os.fork())
        if children[-1] == 0:
            for number in range(150):
                # From short ones to the longest.
                stream.write(json_line(0, "INFO", letter * (number * 40), letter, {"exception": "é" * number}) + "\n")
            os._exit(0)
    lines = []
    with os.fdopen(os.dup(readable), "rb") as reading:
        while len(lines) < 4 * 150:
            lines.append(json.loads(reading.readline()))
    for child in children:
        os.waitpid(child, 0)
    assert all(set(line["message"].removesuffix("[…]")) <= {line["logger"]} for line in lines)
    stream.close()


def test_a_full_disk_and_a_closed_pipe_raise_nothing(pipe: tuple[int, int], patience: None) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    readable, writable = os.pipe()
    os.close(readable)
    for descriptor in (full, writable, 10_000):
        stream = LineStream(notice, descriptor)
        stream.write(LINE)
        stream.write(LINE)
        stream.close()
    os.close(full)
    os.close(writable)


def test_a_socket_of_a_journal_is_written_without_blocking(patience: None) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = LineStream(notice, ours.fileno())
        for _ in range(10_000):
            stream.write(LINE)
        theirs.setblocking(False)
        assert theirs.recv(1 << 22).decode().startswith(LINE)
        stream.close()
        assert ours.getblocking()


def test_a_line_that_was_broken_off_ends_before_the_next(pipe: tuple[int, int], patience: None) -> None:
    readable, writable = pipe
    stream = LineStream(notice, writable)
    stream.write("x" * 200_000 + "\n")
    assert set(drain(readable)) == {"x"}
    stream.write(LINE)
    assert drain(readable).splitlines() == [
        "",
        "notice: 1 lines were not written: nobody read them, or there was no space",
        LINE[:-1],
    ]
