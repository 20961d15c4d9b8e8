"""A message that is sent once while one waits: it blocks the next one neither while it runs nor when it is lost."""

from __future__ import annotations

import pytest
from flask import Flask

from backend.jobs.queue import MARK, Message, clear_lost_marks, rq_queue, send
from backend.redis.client import redis_client

pytestmark = [pytest.mark.integration, pytest.mark.requires_redis]
MESSAGE = Message("index.embed_bookmarks", queue="bulk", once=True)


@pytest.fixture(autouse=True)
def empty_queue(context: Flask) -> None:
    redis_client().flushdb()


def waiting() -> list[str]:
    return list(rq_queue("bulk").job_ids)


def test_a_second_one_is_not_sent_while_one_waits() -> None:
    for _ in range(2):
        send([MESSAGE])
        clear_lost_marks([MESSAGE])
    assert len(waiting()) == 1


def test_the_mark_of_one_whose_worker_died_before_it_began_is_removed() -> None:
    send([MESSAGE])
    [lost] = waiting()
    redis_client().lrem("rq:queue:bulk", 0, lost)
    send([MESSAGE])
    assert waiting() == []
    clear_lost_marks([MESSAGE])
    assert not redis_client().exists(MARK + MESSAGE.function)
    send([MESSAGE])
    assert len(waiting()) == 1
    assert waiting() != [lost]
