"""Log lines cannot be forged, broken or made endless by what is logged (R-LOG)."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest

from backend.observability.log_lines import LINE_BYTES, json_line, text_line, without_middle
from backend.observability.tracebacks import MOST_TRACE, trace_of

pytestmark = pytest.mark.unit
# Line breaks of every kind, ANSI and its one-byte form, overprinting, changes of direction, invisible signs.
HOSTILE = "a\nb\rc\x1b[2Jd\x9b31me\x08\x7ff\u2028\u2029\x85g\u202eh\u2066i\u200fj\ufeffk\U000e0041l\ud800m\x00"
FORGED = "ok\n2026-01-01 00:00:00.000Z INFO    forged"
SECONDS = 1_700_000_000.25


def test_nothing_in_a_line_of_json_is_more_than_a_sign() -> None:
    line = json_line(SECONDS, "INFO", HOSTILE, "name", {HOSTILE: HOSTILE})
    assert line.isprintable()
    parsed = json.loads(line)
    assert parsed["message"] == HOSTILE
    assert parsed[HOSTILE] == HOSTILE


def test_nothing_in_a_line_of_text_is_more_than_a_sign() -> None:
    line = text_line(SECONDS, "INFO", HOSTILE, {"field": HOSTILE}, has_colors=False)
    assert line.isprintable()
    assert r"a\u000ab\u000dc\u001b[2Jd" in line


def test_a_traceback_cannot_forge_a_line_of_text() -> None:
    line = text_line(SECONDS, "ERROR", "it failed", {}, has_colors=False, trace=f"RuntimeError: {FORGED}\x1b[1A")
    assert [part for part in line.split("\n") if re.match(r"\d{4}-", part)] == [line.split("\n")[0]]
    assert "\x1b" not in line


def test_each_line_begins_with_the_same_fields_in_the_same_order() -> None:
    parsed = json.loads(json_line(SECONDS, "INFO", "message", "name", {"a": 1}))
    assert list(parsed) == ["timestamp", "level", "message", "logger", "process", "pid", "a"]
    assert parsed["timestamp"] == "2023-11-14T22:13:20.250000Z"
    assert parsed["pid"] == os.getpid()


def test_times_of_many_seconds_are_formatted_right() -> None:
    for seconds in (SECONDS, SECONDS + 59.9, SECONDS, SECONDS + 86_400):
        stamp = json.loads(json_line(seconds, "INFO", "", None, {}))["timestamp"]
        assert datetime.fromisoformat(stamp) == datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    "extra",
    [
        {"exception": "\x00" * 3 * LINE_BYTES},
        {"exception": "é" * LINE_BYTES, "path": "x" * LINE_BYTES},
        {"values": list(range(LINE_BYTES))},
        {f"field{number}": "x" * 40 for number in range(1_000)},
    ],
)
def test_a_line_is_never_longer_than_a_pipe_takes_at_once(extra: dict[str, object]) -> None:
    line = json_line(SECONDS, "ERROR", "what happened" * 400, "name", extra)
    assert len(line.encode()) < LINE_BYTES
    assert json.loads(line)["level"] == "ERROR"


def test_values_that_are_no_json_are_shown_as_text() -> None:
    extra = {"number": 2**70, "moment": datetime(2026, 1, 1, tzinfo=UTC), "half": "\ud800"}
    parsed = json.loads(json_line(SECONDS, "INFO", "message", "name", extra))
    assert parsed["number"] == 2**70
    assert parsed["moment"] == "2026-01-01 00:00:00+00:00"


def test_of_a_long_traceback_the_beginning_and_the_end_are_left() -> None:
    def sink(depth: int) -> None:
        if depth:
            (sink if depth % 2 else _other)(depth - 1)
        else:
            raise RuntimeError("the reason")

    def _other(depth: int) -> None:
        sink(depth)

    with pytest.raises(RuntimeError) as failure:
        sink(300)
    trace = trace_of(failure.value)
    assert len(trace) <= MOST_TRACE
    assert trace.startswith("Traceback")
    assert trace.endswith("RuntimeError: the reason")


def test_a_traceback_shows_short_paths_and_causes_without_values_of_statements() -> None:
    value = "a private value"
    try:
        try:
            raise psycopg2.ProgrammingError(f"no such table\nLINE 1: SELECT '{value}'")
        except psycopg2.Error as cause:
            raise RuntimeError("it failed") from cause
    except RuntimeError as error:
        trace = trace_of(error)
    assert 'File "tests/observability/test_log_lines.py", line' in trace
    assert "direct cause" in trace
    assert "RuntimeError: it failed" in trace
    assert value not in trace
    assert trace_of(None) == ""


def test_of_a_run_of_frames_in_libraries_the_first_and_the_last_are_left() -> None:
    class Ours(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> Any:
            return re.sub("a", lambda found: json.loads("{"), s)

    with pytest.raises(ValueError, match="Expecting property name") as failure:
        json.loads("a", cls=Ours)
    frames = [line for line in trace_of(failure.value).splitlines() if line.startswith("  ") and line[2] != " "]
    names = [re.sub(r'.*File "(\S+)".* in (.*)', r"\1 \2", frame).strip() for frame in frames]
    here = "tests/observability/test_log_lines.py"
    assert names == [
        f"{here} test_of_a_run_of_frames_in_libraries_the_first_and_the_last_are_left",
        "json/__init__.py loads",
        "json/decoder.py decode",
        f"{here} raw_decode",
        "re/__init__.py sub",
        f"{here} <lambda>",
        "json/__init__.py loads",
        "[… 1 more of libraries]",
        "json/decoder.py raw_decode",
    ]


def test_without_middle_keeps_its_promise_of_length() -> None:
    for length in (0, 5, 10, 100):
        assert len(without_middle("abc" * 100, length)) <= max(length, 5)
    assert without_middle("abc", 3) == "abc"
