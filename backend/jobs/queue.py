"""The one place that puts messages on the queue. A message is a wake-up call for a row that is already committed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import redis
from loguru import logger
from rq import Queue
from rq.serializers import JSONSerializer

from backend.http.request_state import current_request_id
from backend.redis.client import redis_client

# Mails; the scheduler's passes; what a person waits for; long work; that pages are due to be read. `lanes.py` says who
# serves which.
QUEUES = ("mail", "maintenance", "interactive", "bulk", "capture")
# What waits here says only that something is due: rows are counted instead.
WAKE_UPS = ("capture",)
# A mark that a message which need not wait twice is waiting. It outlives no more than this many lost seconds.
MARK, MARK_SECONDS = "fuze:waiting:", 60


@dataclass(frozen=True)
class Message:
    """A call of a declared job, by its name (so that no feature need be imported here), with JSON arguments.

    `key` becomes RQ's job id. With `once`, no second message for the function is sent while one waits; the mark goes
    when it starts, so that what is committed after that is seen by a later one.
    """

    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    queue: str = "interactive"
    timeout_seconds: int = 120
    once: bool = False


def send(messages: Iterable[Message]) -> bool:
    """Put messages on the queue, after the commit of the rows they are about, in one round trip for each queue.

    Returns False when Redis is away: nothing is lost, the scheduler's pass sends what is due again.
    """
    by_queue: dict[str, list[Message]] = {}
    for message in messages:
        by_queue.setdefault(message.queue, []).append(message)
    try:
        for name, batch in by_queue.items():
            due = [message for message in batch if not message.once or _mark(message)]
            rq_queue(name).enqueue_many([_as_job_data(message) for message in due])
    except redis.RedisError as error:
        logger.warning("queue unavailable, left to the scheduler: {}", error)
        return False
    return True


def rq_queue(name: str) -> Queue:
    """RQ's queue of this name. JSON, not pickles; what a worker makes of it is decided in `messages`."""
    return Queue(name, connection=redis_client(), serializer=JSONSerializer)


def waiting_keys(name: str) -> set[str]:
    """Keys of the messages that wait on a queue: what is here need not be sent again."""
    waiting = redis_client().lrange(Queue.redis_queue_namespace_prefix + name, 0, -1)
    return {key.decode(errors="replace") for key in cast("list[bytes]", waiting)}


def unmark(function: str) -> None:
    """Say that a message for this function has started: a new one may be sent."""
    redis_client().delete(MARK + function)


def depth() -> int:
    """How many messages wait, on all queues but that of captures: those are counted in PostgreSQL."""
    with redis_client().pipeline(transaction=False) as pipeline:
        for name in (name for name in QUEUES if name not in WAKE_UPS):
            pipeline.llen(Queue.redis_queue_namespace_prefix + name)
        return sum(pipeline.execute())


def _mark(message: Message) -> bool:
    return bool(redis_client().set(MARK + message.function, 1, nx=True, ex=MARK_SECONDS))


def _as_job_data(message: Message) -> Any:
    return Queue.prepare_data(
        message.function,
        kwargs=message.arguments,
        timeout=message.timeout_seconds,
        job_id=message.key or None,
        result_ttl=0,
        failure_ttl=3600,
        description=message.function.rpartition(".")[2],
        meta={"request_id": request_id} if (request_id := current_request_id()) else {},
    )
