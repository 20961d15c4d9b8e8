"""The comparison of readers: how others are run, and when one is ahead."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from benchmarks.extractors import NotInstalled, commands, difference, page_scores, read_by_peer, table_line
from benchmarks.page_truth import BODIES, PageTruth

pytestmark = pytest.mark.unit

KEEPERS = ("Jo Reed", "Vera Ohm", "Mara Quay", "Niko Berg", "Olu Sand")
PARAGRAPHS = [
    f"The lamp of the harbour is lit by {name}, who weighs its oil and writes the hour down." for name in KEEPERS
]


@pytest.fixture
def truth(tmp_path: Path) -> PageTruth:
    path = tmp_path / "page.html.gz"
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    path.write_bytes(gzip.compress(f"<html><title>Lamps</title><body><article>{paragraphs}</article>".encode()))
    return PageTruth(
        "one", BODIES, path, "https://a.example/", None, "\n".join(PARAGRAPHS), (PARAGRAPHS[0],), ("Sign up",)
    )


def test_a_reader_is_run_by_another_python_and_scored(truth: PageTruth) -> None:
    command, environment = commands(sys.executable, None)["trafilatura"]
    results = read_by_peer(command, [truth, truth], **environment)
    assert results[0].title == "Lamps"
    assert page_scores([truth, truth], results) == [1.0, 1.0]
    assert table_line("trafilatura", [truth, truth], results).split()[:6] == [
        *("trafilatura", "1.0000", "1.0000", "1.0000", "100.0%", "0.0%")
    ]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (commands(sys.executable, None)["newspaper4k"][0], "No module named 'newspaper'"),
        (["/nowhere/python"], "No such file"),
    ],
)
def test_a_reader_that_is_not_installed_is_skipped_with_the_reason(
    truth: PageTruth, command: list[str], reason: str
) -> None:
    with pytest.raises(NotInstalled, match=reason):
        read_by_peer(command, [truth])


def test_a_reader_is_ahead_where_the_interval_says_so() -> None:
    mean, low, high = difference([0.9] * 40, [0.8] * 39 + [0.9])
    assert 0 < low <= mean <= high < 0.11
    _, low, high = difference([0.9, 0.7] * 20, [0.7, 0.9] * 20)
    assert low < 0 < high
