"""Cores and memory of the machine, and what small machines do with less of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend import machine
from backend.capture.run_bounds import RunBounds
from backend.local_stack.redis import EmbeddedRedis
from config import load_settings

pytestmark = pytest.mark.unit
GIGABYTE = 2**30


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Sets the memory of the machine, and what its control group says."""

    def set_memory(total: int, limit: str | None = None) -> None:
        monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: SimpleNamespace(total=total))
        path = tmp_path / "memory.max"
        if limit is not None:
            path.write_text(f"{limit}\n")
        monkeypatch.setattr(machine, "MEMORY_LIMITS", (path, tmp_path / "missing"))

    return set_memory


@pytest.mark.parametrize(
    ("total", "limit", "found"),
    [
        (8 * GIGABYTE, None, 8 * GIGABYTE),
        (8 * GIGABYTE, "max", 8 * GIGABYTE),
        (8 * GIGABYTE, str(GIGABYTE), GIGABYTE),
        # Version 1 writes a huge number where there is no limit.
        (8 * GIGABYTE, "9223372036854771712", 8 * GIGABYTE),
    ],
)
def test_the_container_may_have_less_than_the_machine(memory: Any, total: int, limit: str | None, found: int) -> None:
    memory(total, limit)
    assert machine.memory_bytes() == found
    assert machine.is_small() == (found == GIGABYTE)


@pytest.mark.parametrize(("total", "processes", "readers", "redis"), [(8, 4, 3, 256), (1, 2, 1, 64)])
def test_small_machines_do_with_less(
    memory: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    total: int,
    processes: int,
    readers: int,
    redis: int,
) -> None:
    memory(total * GIGABYTE)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    settings = load_settings(_env_file=None, FUZE_DATA_DIR=tmp_path)
    assert RunBounds.of(settings).processes == readers
    assert EmbeddedRedis(tmp_path).maxmemory_mb == redis
    assert machine.count_web_processes() == processes
