"""Files of metrics: exact whatever happens to a process, and no more of them than processes."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.observability.metrics import families, recording
from backend.observability.metrics.reading import estimated_quantile, merged_values
from backend.observability.metrics.requests import record_response
from backend.observability.metrics.storage import (
    FILE_BYTES,
    MARK,
    MetricsStorage,
    empty_directory,
    metrics_files,
    read_entries,
    storage,
)

pytestmark = [
    pytest.mark.unit,
    # Threads of other tests may run; the children here use none of them.
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory of metrics of this test's own."""
    before = storage.directory
    storage.use(tmp_path / "metrics")
    yield tmp_path / "metrics"
    storage.use(before or tmp_path)


def logins() -> float:
    return sum(merged_values()["fuze_logins"].values())


def in_child(work: Callable[[], None], *, ends_by: int = signal.SIGKILL) -> None:
    """Do something in a process of its own, which then kills itself."""
    if (child := os.fork()) == 0:
        work()
        os.kill(os.getpid(), ends_by)
    os.waitpid(child, 0)


def log_in_often() -> None:
    for _ in range(50):
        recording.record_login("succeeded")


def test_counters_stay_exact_when_processes_are_killed_and_others_follow(directory: Path) -> None:
    recording.record_login("succeeded")
    for _ in range(20):
        in_child(log_in_often)
    assert logins() == 1 + 20 * 50
    # One for this process, one that the others had one after the other.
    assert len(list(metrics_files(directory))) == 2


def test_processes_at_the_same_time_have_files_of_their_own(directory: Path) -> None:
    (readable, writable), (told, telling) = os.pipe(), os.pipe()
    children = []
    for _ in range(4):
        if (child := os.fork()) == 0:
            os.close(writable)
            log_in_often()
            os.write(telling, b"!")
            os.read(readable, 1)  # Until the parent closes the pipe.
            os._exit(0)
        children.append(child)
    os.close(readable)
    assert b"".join(os.read(told, 1) for _ in children) == b"!!!!"
    assert [is_alive for _, is_alive in metrics_files(directory)] == [True] * 4
    for descriptor in (writable, told, telling):
        os.close(descriptor)
    for child in children:
        os.waitpid(child, 0)
    assert [is_alive for _, is_alive in metrics_files(directory)] == [False] * 4
    assert logins() == 200


def test_gauges_end_with_their_process() -> None:
    families.CONNECTIONS_OPEN.set(2)
    in_child(lambda: families.CONNECTIONS_OPEN.set(7))
    assert sum(merged_values()["fuze_db_connections_open"].values()) == 2


def test_a_gauge_begins_at_zero_whoever_had_the_file_before(directory: Path) -> None:
    in_child(lambda: families.CONNECTIONS_OPEN.set(7))
    families.CONNECTIONS_OPEN.inc()
    assert len(list(metrics_files(directory))) == 1
    assert sum(merged_values()["fuze_db_connections_open"].values()) == 1


def test_of_moments_the_latest_counts() -> None:
    families.SCHEDULER_PASS.set(30)
    in_child(lambda: families.SCHEDULER_PASS.set(40))
    assert list(merged_values()["fuze_scheduler_last_pass_timestamp_seconds"].values()) == [40]


def test_a_directory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    storage.use(tmp_path / "file" / "metrics")
    recording.record_login("failed")
    record_response("GET", None, 404, 0.1)
    assert not merged_values()


def test_a_full_disk_stops_nothing(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    recording.record_login("failed")
    assert not merged_values()


def test_what_does_not_fit_into_a_file_is_not_stored(directory: Path) -> None:
    long = "x" * 1_000
    for number in range(FILE_BYTES // 1_000 + 10):
        families.LOGINS.labels(f"{long}{number}").inc()
    families.LOGINS._metrics.clear()
    [(path, _)] = metrics_files(directory)
    assert path.stat().st_size == FILE_BYTES
    assert FILE_BYTES // 1_100 < len(list(read_entries(path))) < FILE_BYTES // 1_000


def test_a_file_of_another_version_is_written_anew(directory: Path) -> None:
    directory.mkdir()
    (directory / "0.metrics").write_bytes(b"x" * FILE_BYTES)
    recording.record_login("succeeded")
    assert (directory / "0.metrics").read_bytes().startswith(MARK)
    assert logins() == 1


def test_a_file_that_a_crash_has_cut_short_is_read_as_far_as_it_goes(directory: Path) -> None:
    in_child(log_in_often)
    in_child(lambda: recording.record_mail("sent"))
    [(path, _)] = metrics_files(directory)
    keys = [key for key, _ in read_entries(path)]
    content = path.read_bytes()
    last = content.index(keys[-1]) - 8
    path.write_bytes(content[:last] + bytes(FILE_BYTES - last))
    assert [key for key, _ in read_entries(path)] == keys[:-1]
    recording.record_mail("sent")
    assert (logins(), sum(merged_values()["fuze_mails"].values())) == (50, 1)


def test_a_directory_is_emptied_only_when_nobody_counts_any_more(directory: Path) -> None:
    in_child(log_in_often)
    recording.record_login("succeeded")
    assert not empty_directory(directory)
    assert logins() == 51
    storage.use(directory.parent / "elsewhere")
    assert empty_directory(directory)
    assert not list(directory.glob("*.metrics"))


def test_a_file_that_was_deleted_meanwhile_is_not_taken(directory: Path) -> None:
    other = MetricsStorage()
    other.use(directory)
    with other.lock:
        other.place(b'["sum"]')
    other.forget_parent()
    assert empty_directory(directory)
    recording.record_login("succeeded")
    assert logins() == 1


@pytest.mark.parametrize(
    ("quantile", "counts", "expected"),
    [
        (0.5, [0, 0, 0], None),
        (0.5, [10, 0, 0], 0.5),
        (0.5, [0, 10, 0], 1.5),
        (0.95, [90, 10, 0], 1.5),
        (0.25, [50, 50, 0], 0.5),
        (1.0, [5, 5, 0], 2.0),
        (0.99, [0, 1, 99], 2.0),
        (0.0, [5, 5, 0], 0.0),
    ],
)
def test_a_quantile_is_interpolated_within_its_bucket(
    quantile: float, counts: list[float], expected: float | None
) -> None:
    found = estimated_quantile(quantile, (1.0, 2.0), counts)
    assert found == expected or (found is not None and expected is not None and math.isclose(found, expected))
