"""Access lines that are written many at a time are the lines that would have been written one by one (R-LOG)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from loguru import logger

from backend.observability import access_log, logging
from backend.observability.access_log import AccessLog, accepts_format
from backend.observability.line_sinks import lines_of, no_pattern
from backend.observability.log_lines import LINE_BYTES, LogFormat
from backend.observability.logging import log_access
from tests.support.processes import eventually

pytestmark = pytest.mark.unit
FORMS: tuple[LogFormat, ...] = ("text", "json")


@pytest.fixture
def written() -> Iterator[dict[LogFormat, list[str]]]:
    """What reaches the sinks of each form, piece by piece."""
    pieces: dict[LogFormat, list[str]] = {"text": [], "json": []}
    sinks = [
        logger.add(
            lambda piece, form=form: pieces[form].append(lines_of(piece, form)),
            format=no_pattern,
            filter=accepts_format(form),
        )
        for form in FORMS
    ]
    yield pieces
    for sink in sinks:
        logger.remove(sink)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> AccessLog:
    """As in a process that serves; nothing is written unless the test says so."""
    monkeypatch.setattr(access_log, "WAIT_SECONDS", 60)
    log = AccessLog(logging.ACCESS, FORMS)
    monkeypatch.setattr(logging, "_access_log", log)
    return log


def ask(**more: Any) -> None:
    log_access(method="GET", path="/a", status=200, started=time.perf_counter(), user_id=7, request_id="r", **more)


def test_a_line_says_the_same_in_a_batch(written: dict[LogFormat, list[str]], batches: AccessLog) -> None:
    ask()
    assert written == {"text": [], "json": []}
    batches.flush()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging, "_access_log", None)
        ask()
    late, single = (json.loads(piece) for piece in written["json"])
    assert list(late) == list(single)
    changing = ("timestamp", "duration_ms")
    assert {name: late[name] for name in late if name not in changing} == {
        name: single[name] for name in single if name not in changing
    }
    assert datetime.fromisoformat(late["timestamp"]) <= datetime.fromisoformat(single["timestamp"])
    assert "GET /a 200" in written["text"][0]
    assert "'request_id': 'r'" in written["text"][0]


def test_a_thread_writes_them_a_moment_later(
    written: dict[LogFormat, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(logging, "_access_log", AccessLog("name", ["json"]))
    for number in range(2):
        ask(number=number)
        assert eventually(lambda number=number: f'"number":{number}' in "".join(written["json"]))


def test_of_many_threads_no_line_is_lost_or_cut(written: dict[LogFormat, list[str]], batches: AccessLog) -> None:
    def send(thread: int) -> None:
        for number in range(300):
            ask(number=thread * 300 + number)
            if number % 100 == thread:
                batches.flush()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    batches.flush()
    lines = [json.loads(line) for piece in written["json"] for line in piece.splitlines()]
    assert sorted(line["number"] for line in lines) == list(range(2_400))
    assert len("".join(written["text"]).splitlines()) == 2_400
    # Other processes write to the same pipe: what it takes in one piece stays whole.
    for piece in [*written["text"], *written["json"]]:
        assert len(piece.encode()) <= LINE_BYTES
        assert piece.endswith("\n")


def test_a_line_longer_than_a_piece_is_cut_to_fit(written: dict[LogFormat, list[str]], batches: AccessLog) -> None:
    ask(long="é" * LINE_BYTES)
    ask()
    batches.flush()
    long, short = (json.loads(line) for line in "".join(written["json"]).splitlines())
    assert long["long"].endswith("é[…]")
    assert "long" not in short
    assert all(len(piece.encode()) <= LINE_BYTES for piece in written["json"])


def test_nothing_piles_up(
    written: dict[LogFormat, list[str]], batches: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "MAX_PENDING", 5)
    for _ in range(6):
        ask()
    assert len("".join(written["json"]).splitlines()) == 6


def test_a_path_cannot_make_a_line_of_its_own(written: dict[LogFormat, list[str]], batches: AccessLog) -> None:
    log_access(method="GET", path="/a\n2026 INFO forged", status=404, started=time.perf_counter())
    batches.flush()
    assert "".join(written["text"]).count("\n") == 1
    assert "".join(written["json"]).count("\n") == 1
