"""Log files: one a day, bounded, deleted in time, and no process ends because they cannot be written (R-LOG 4)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loguru import logger

from backend.observability import log_files
from backend.observability import logging as own_logging
from backend.observability.log_files import DailyLogFile
from backend.observability.logging import configure_logging, log_fault
from config import Settings

pytestmark = pytest.mark.unit
NO_SPACE = "No space left on device"
Told = list[str]


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "LOOK_SECONDS", 0)


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def file(tmp_path: Path, told: Told) -> Iterator[DailyLogFile]:
    file = DailyLogFile(tmp_path / "logs", told.append, lambda text: f"notice: {text}\n")
    yield file
    file.close()


def name_of(moment: datetime, number: str = "") -> str:
    return f"app_{moment:%Y-%m-%d}{number}.log"


def today(file: DailyLogFile, number: str = "") -> Path:
    return file.folder / name_of(datetime.now(UTC), number)


def test_a_file_of_the_day_is_begun_with_the_first_line(file: DailyLogFile) -> None:
    assert not file.folder.exists()
    file.write("first\n")
    file.write("second\n")
    assert today(file).read_text() == "first\nsecond\n"
    assert today(file).stat().st_mode & 0o777 & ~0o640 == 0


def test_another_day_has_another_file_and_old_ones_are_deleted(
    file: DailyLogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    file.folder.mkdir()
    days = {days: file.folder / name_of(now + timedelta(1) - timedelta(days), ".2") for days in (29, 30, 31, 400)}
    others = [file.folder / name for name in ("app_notes.log", "other.log", "app_2001-01-01.log.gz")]
    for path in (*days.values(), *others):
        path.touch()
    file.write("today\n")
    clock = time.time
    monkeypatch.setattr(log_files.time, "time", lambda: clock() + 86_400)
    file.write("tomorrow\n")
    assert today(file).read_text() == "today\n"
    assert (file.folder / name_of(now + timedelta(1))).read_text() == "tomorrow\n"
    assert {number for number, path in days.items() if path.exists()} == {29, 30}
    assert all(path.exists() for path in others)


def test_a_full_file_gets_a_number_and_a_new_one_begins(file: DailyLogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "ROTATED_BYTES", 12)
    for line in ("first line\n", "second line\n", "third line\n", "fourth line\n"):
        file.write(line)
    assert today(file, ".1").read_text() == "first line\nsecond line\n"
    assert today(file).read_text() == "third line\nfourth line\n"


def test_processes_that_write_together_rotate_once_and_lose_nothing(
    file: DailyLogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "ROTATED_BYTES", 10_000)
    children = []
    for letter in "abcd":
        children.append(os.fork())
        if children[-1] == 0:
            for number in range(250):
                file.write(f"{letter}{number:03} {letter * number}\n")
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    written = [line for path in file.folder.iterdir() for line in path.read_text().splitlines()]
    assert sorted(written) == sorted(f"{letter}{n:03} {letter * n}" for letter in "abcd" for n in range(250))
    sizes = {path.name: path.stat().st_size for path in file.folder.iterdir()}
    assert all(size <= 10_000 + 4 * 255 for size in sizes.values())
    assert 12 <= len(sizes) <= 14


def test_a_file_that_others_move_or_delete_is_begun_again(file: DailyLogFile) -> None:
    file.write("first\n")
    today(file).rename(file.folder / "moved.log")
    file.write("second\n")
    assert today(file).read_text() == "second\n"
    today(file).unlink()
    file.write("third\n")
    assert today(file).read_text() == "third\n"


def test_a_full_disk_is_told_once_and_lines_are_written_again_as_soon_as_there_is_space(
    file: DailyLogFile, told: Told
) -> None:
    file.folder.mkdir()
    today(file).symlink_to("/dev/full")
    for _ in range(3):
        file.write("lost\n")
    assert told == [f"the log file in {file.folder} cannot be written: {NO_SPACE}"]
    assert file.fault == NO_SPACE
    today(file).unlink()
    file.write("written\n")
    assert today(file).read_text() == f"notice: 3 lines were not written: {NO_SPACE}\nwritten\n"
    assert told[1:] == [f"the log file in {file.folder} is written again; 3 lines are missing"]
    assert file.fault is None


def no_folder(folder: Path) -> None:
    folder.touch()


def no_file(folder: Path) -> None:
    (folder / name_of(datetime.now(UTC))).mkdir(parents=True)


@pytest.mark.parametrize("spoil", [no_folder, no_file])
def test_a_folder_that_cannot_be_used_is_told_once_and_tried_again(
    file: DailyLogFile, told: Told, spoil: Callable[[Path], None]
) -> None:
    spoil(file.folder)
    file.write("lost\n")
    file.write("lost\n")
    assert len(told) == 1
    assert "cannot be written" in told[0]
    (file.folder.unlink if file.folder.is_file() else today(file).rmdir)()
    file.write("written\n")
    assert today(file).read_text().splitlines()[1:] == ["written"]


def test_a_folder_that_cannot_be_opened_is_not_tried_with_every_line(
    file: DailyLogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.folder.touch()
    file.write("lost\n")
    monkeypatch.setattr(log_files, "LOOK_SECONDS", 60)
    file.folder.unlink()
    file.write("lost\n")
    assert not file.folder.exists()
    assert file.fault is not None


def test_a_line_that_a_full_disk_breaks_off_ends_before_the_next(
    file: DailyLogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = os.write, [4]

    def short(descriptor: int, data: bytes) -> int:
        if not left:
            return real(descriptor, data)
        if left[0] == 0:
            raise OSError(28, NO_SPACE)
        number, left[0] = left[0], 0
        return real(descriptor, data[:number])

    monkeypatch.setattr(log_files.os, "write", short)
    file.write("broken off\n")
    left.clear()
    file.write("whole\n")
    lines = today(file).read_text().splitlines()
    assert lines == ["brok", f"notice: 1 lines were not written: {NO_SPACE}", "whole"]


def test_the_log_goes_on_while_its_file_cannot_be_written_and_says_so_once_on_standard_error(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name_of(datetime.now(UTC))
    path.symlink_to("/dev/full")
    configure_logging(settings.model_copy(update={"LOG_DIR": tmp_path}))
    try:
        for number in range(3):
            logger.info("line {}", number)
        assert log_fault() == NO_SPACE
        written = capfd.readouterr().err
        assert [f"line {number}" in written for number in range(3)] == [True] * 3
        assert written.count(f"cannot be written: {NO_SPACE}") == 1
        path.unlink()
        logger.info("line 3")
        assert log_fault() is None
    finally:
        configure_logging(settings)


def test_a_disk_that_is_nearly_full_is_a_fault_before_lines_are_lost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging(settings)
    assert log_fault() is None
    monkeypatch.setattr(log_files, "LEAST_FREE_BYTES", 1 << 60)
    assert log_fault() == "the disk is full"
    monkeypatch.setattr(own_logging, "_log_file", None)
    assert log_fault() is None
