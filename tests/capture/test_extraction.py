"""Extraction in processes of its own: what a page does there happens to nobody else."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from backend.capture import fetch
from backend.capture.extract.indexed_page import read_page
from backend.capture.extract.page import UnreadablePage, UnsupportedMedia
from backend.capture.extract.reading import ExtractionResult, IndexedPage, from_json, to_json
from backend.capture.extractor_processes import (
    PAGES_PER_PROCESS,
    ExtractionBounds,
    ExtractionDied,
    ExtractionHung,
    Extractor,
    serve_extraction,
)
from backend.capture.fetch import FetchedPage
from backend.outbound.failures import FetchError
from tests.support.processes import alive, eventually

pytestmark = [pytest.mark.integration, pytest.mark.processes]
COMMON_IDEOGRAPHS = range(0x4E00, 0x4E00 + 2_000)
HTML = (
    b"<html lang=de><head><title>Gezeiten \xe2\x80\x94 Hafen</title><meta name=date content=2024-05-06></head>%s</html>"
)
TEXT = b"<body><article><p>The tide tables of the harbour were printed on yellow paper.</p></article></body>"


def fetched(name: str, body: bytes = HTML % TEXT, media_type: str = "text/html") -> FetchedPage:
    return FetchedPage(f"https://example.org/{name}", 200, media_type, "utf-8", body, False)


def read_or_misbehave(page: FetchedPage, average: float | None) -> ExtractionResult:
    """Runs in the child: what an address asks for, or the page."""
    name = page.url.rpartition("/")[2]
    if name == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "kill-once" and average is None and not _was_here():
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "unstorable":
        found = read_page(page, average)
        assert isinstance(found, IndexedPage)
        return replace(found, page=replace(found.page, title="NUL \0 in the middle"))
    if name == "hang":
        time.sleep(600)
    if name == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if name == "raise":
        raise RuntimeError("a fault of ours")
    if name == "fill":
        return IndexedPage(*[bytearray(2**30) for _ in range(8)])  # type: ignore[arg-type]
    if name == "pid":
        return UnreadablePage(str(os.getpid()))
    return read_page(page, average)


def _was_here() -> bool:
    """Whether another child of the same parent has been here: it left a mark."""
    mark = Path(tempfile.gettempdir(), f"fuze-test-killed-{os.getppid()}")
    if mark.exists():
        mark.unlink()
        return True
    mark.touch()
    return False


@contextmanager
def serving(
    read: Callable[[FetchedPage, float | None], ExtractionResult] = read_or_misbehave,
) -> Iterator[socket.socket]:
    """A process that forks extractors, until the end of the block."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        serve_extraction(theirs, read)
        os._exit(0)
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        assert os.waitpid(pid, 0)[1] == 0


@pytest.fixture
def lines() -> Iterator[socket.socket]:
    with serving() as ours:
        yield ours


def extractor(lines: socket.socket, **bounds: float) -> Extractor:
    return Extractor(lines, ExtractionBounds(**{"seconds": 20, **bounds}))  # type: ignore[arg-type]


def pid_of(one: Extractor) -> int:
    reading = one.read(fetched("pid"), None)
    assert isinstance(reading, UnreadablePage)
    return int(reading.reason)


def test_a_page_read_elsewhere_is_what_it_is_here(lines: socket.socket) -> None:
    one = extractor(lines)
    assert one.read(fetched("page"), 17.0) == read_page(fetched("page"), 17.0)
    one.close()


@pytest.mark.parametrize(
    ("body", "media_type", "kind", "words"),
    [
        (b"\x89PNG", "image/png", UnsupportedMedia, "image/png"),
        (b"", "text/html", UnreadablePage, "empty"),
    ],
)
def test_what_is_no_page_says_why(
    lines: socket.socket, body: bytes, media_type: str, kind: type[Exception], words: str
) -> None:
    one = extractor(lines)
    reading = one.read(fetched("page", body, media_type), None)
    assert isinstance(reading, kind)
    assert words in str(reading)
    one.close()


@pytest.mark.parametrize("reason", ["a \ud800 half", "two\nlines", "\x00"])
def test_whatever_is_said_arrives(reason: str) -> None:
    again = from_json(to_json(FetchError(reason)))
    assert isinstance(again, FetchError)
    assert again.reason == reason


def test_one_process_reads_many_pages_and_another_takes_over_in_time(lines: socket.socket) -> None:
    one = extractor(lines)
    first = pid_of(one)
    assert {pid_of(one) for _ in range(PAGES_PER_PROCESS - 1)} == {first}
    assert pid_of(one) != first
    one.close()
    assert eventually(lambda: not alive(first))


def test_a_large_page_ends_its_process_which_gives_the_memory_back(
    lines: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = extractor(lines)
    first = pid_of(one)
    one.read(fetched("page"), None)
    assert pid_of(one) == first
    monkeypatch.setattr(fetch, "LARGE_BODY_BYTES", 100)
    assert one.read(fetched("page"), None) == read_page(fetched("page"), None)
    assert pid_of(one) != first
    one.close()


def test_a_large_page_of_chinese_text_is_read_in_twelve_times_its_memory() -> None:
    random = Random(7)
    sentences = ("".join(map(chr, random.choices(COMMON_IDEOGRAPHS, k=30))) for _ in range(40_000))
    body = HTML % "".join(f"<p>{sentence}。</p>" for sentence in sentences).encode()
    assert len(body) > 4_000_000
    with serving(read_page) as lines:
        one = extractor(lines, memory_bytes=12 * len(body))
        reading = one.read(fetched("page", body), None)
        one.close()
    assert isinstance(reading, IndexedPage)
    assert reading.page.word_count > 900_000


def test_a_result_takes_no_more_bytes_than_its_text() -> None:
    assert len(to_json(UnreadablePage("汉" * 1_000))) < 3_100


def test_a_page_that_kills_its_process_is_told_and_costs_no_other(lines: socket.socket) -> None:
    killed, other = extractor(lines), extractor(lines)
    before = pid_of(other)
    for _ in range(2):
        with pytest.raises(ExtractionDied):
            killed.read(fetched("kill"), None)
        assert isinstance(killed.read(fetched("page"), None), IndexedPage)
    assert pid_of(other) == before
    killed.close()
    other.close()


@pytest.mark.parametrize("name", ["hang", "stop"])
def test_a_page_that_hangs_is_ended_and_told_apart_from_one_that_kills(lines: socket.socket, name: str) -> None:
    one = extractor(lines, seconds=0.5)
    before = pid_of(one)
    with pytest.raises(ExtractionHung):
        one.read(fetched(name), None)
    assert eventually(lambda: not alive(before))
    assert pid_of(one) != before
    one.close()


def test_a_page_that_wants_all_memory_gets_none_of_it(lines: socket.socket) -> None:
    one = extractor(lines)
    before = pid_of(one)
    reading = one.read(fetched("fill"), None)
    assert isinstance(reading, FetchError)
    assert "memory" in reading.reason
    assert isinstance(one.read(fetched("page"), None), IndexedPage)
    assert pid_of(one) == before
    one.close()


def test_a_fault_of_ours_ends_with_its_page(lines: socket.socket) -> None:
    one = extractor(lines)
    reading = one.read(fetched("raise"), None)
    assert isinstance(reading, FetchError)
    assert (reading.retryable, "fault of ours" in reading.reason) == (True, False)
    one.close()


def test_without_anybody_to_fork_children_a_page_is_put_off(lines: socket.socket) -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(OSError, match="Broken pipe"):
        extractor(ours).read(fetched("page"), None)


def test_no_descriptor_and_no_child_is_left_behind(lines: socket.socket) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = descriptors()
    ended = []
    for _ in range(5):
        one = extractor(lines)
        ended.append(pid_of(one))
        one.close()
    assert descriptors() == before
    assert eventually(lambda: not any(map(alive, ended)))
