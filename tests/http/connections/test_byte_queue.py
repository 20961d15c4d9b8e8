"""Bytes that wait in memory and in files."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backend.http.connections import byte_queue
from backend.http.connections.byte_queue import MEMORY_BYTES, ByteQueue

pytestmark = pytest.mark.unit


def test_bytes_come_out_as_they_went_in(tmp_path: Path) -> None:
    draw, queue = random.Random(7), ByteQueue(tmp_path)
    put, taken = bytearray(), bytearray()
    for _ in range(200):
        piece = draw.randbytes(draw.randrange(20_000))
        put += piece
        queue.append(piece)
        if draw.random() < 0.6:
            taken += queue.take(draw.randrange(1, 40_000))
        assert len(queue) == len(put) - len(taken)
    taken += queue.take_all()
    assert taken == put
    assert len(queue) == 0


def test_many_bytes_do_not_stay_in_memory(tmp_path: Path) -> None:
    queue = ByteQueue(tmp_path)
    for _ in range(20):
        queue.append(b"a" * MEMORY_BYTES)
    assert len(queue.memory) <= MEMORY_BYTES
    queue.close()


def test_files_take_bounded_room_and_give_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_queue, "FILE_BYTES", 3 * MEMORY_BYTES)
    first, second = ByteQueue(tmp_path), ByteQueue(tmp_path)
    for _ in range(3):
        first.append(b"a" * MEMORY_BYTES)
    second.append(b"b" * MEMORY_BYTES)
    with pytest.raises(OSError, match="too much waits"):
        second.append(b"b" * 2 * MEMORY_BYTES)
    first.close()
    second.append(b"b" * 2 * MEMORY_BYTES)
    assert len(second) == 3 * MEMORY_BYTES
    second.close()
