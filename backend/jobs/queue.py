"""The sending side of the message queue. A message is a wake-up call for a committed row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import redis
from loguru import logger
from rq import Queue
from rq.serializers import JSONSerializer

from backend.http.request_state import current_request_id
from backend.jobs.message_fields import MessageOrigin, read_origin
from backend.redis.client import redis_client
from backend.spans import current_traceparent

# For mails; mails that nobody waits for; scheduler passes; jobs that a person waits for; long jobs; due captures.
# `lanes.py` maps lanes to queues.
QUEUES = ("mail", "bulk_mail", "maintenance", "interactive", "bulk", "capture")
# These messages only wake a worker: the rows are counted instead.
WAKE_UPS = ("capture",)
# Which request asked for the work on a subject, for the log of a pass that finds its work in PostgreSQL.
REQUEST_OF, REQUEST_OF_SECONDS = "fuze:request-of:", 3600
# Marks a function with a waiting message, by its id. The expiry bounds how long a lost message blocks the next
# one; the scheduler clears its mark earlier.
MARK, MARK_SECONDS = "fuze:waiting:", 60


@dataclass(frozen=True)
class Message:
    """A call of a declared job, by name (so that no feature is imported here), with JSON arguments.

    `key` becomes RQ's job id. With `once`, no second message for the function is sent while one waits; the mark is
    removed when it starts, so that later commits send a new message. `subject` names what the work is about, where a
    pass does that of many messages: see `requests_of`.
    """

    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    queue: str = "interactive"
    timeout_seconds: int = 120
    once: bool = False
    subject: str = ""


def send(messages: Iterable[Message]) -> bool:
    """Send messages after the commit of their rows, in one round trip for each queue.

    Returns False when Redis is away: nothing is lost, since the scheduler sends due work again.
    """
    by_queue: dict[str, list[Message]] = {}
    for message in messages:
        by_queue.setdefault(message.queue, []).append(message)
    try:
        for name, batch in by_queue.items():
            if due := [sent for message in batch if (sent := _unless_waiting(message))]:
                _enqueue(name, due)
    except redis.RedisError as error:
        logger.warning("queue unavailable, left to the scheduler: {}", error)
        return False
    return True


def rq_queue(name: str) -> Queue:
    """Return RQ's queue of this name, with JSON instead of pickle; `messages` validates what a worker reads."""
    return Queue(name, connection=redis_client(), serializer=JSONSerializer)


def requests_of(subjects: Sequence[str]) -> dict[str, MessageOrigin]:
    """Return the requests that asked for the work on some subjects, as far as Redis knows."""
    try:
        found = redis_client().mget([REQUEST_OF + subject for subject in subjects])
    except redis.RedisError:
        return {}
    origins = (read_origin(value or b"") for value in cast("list[bytes | None]", found))
    return {subject: origin for subject, origin in zip(subjects, origins, strict=True) if origin.request_id}


def waiting_keys(name: str) -> set[str]:
    """Return the keys of the messages that wait on a queue; they need not be sent again."""
    waiting = redis_client().lrange(Queue.redis_queue_namespace_prefix + name, 0, -1)
    return {key.decode(errors="replace") for key in cast("list[bytes]", waiting)}


def clear_mark(function: str) -> None:
    """Remove the mark of a function when its message starts, so that a new one may be sent."""
    redis_client().delete(MARK + function)


def clear_lost_marks(messages: Sequence[Message]) -> None:
    """Remove the marks of messages that wait no longer and never started: their worker died in between.

    Three round trips at most. A message that starts just now loses its mark a moment early, which at worst sends one
    more.
    """
    client = redis_client()
    marks = [MARK + message.function for message in messages]
    keys = cast("list[bytes | None]", client.mget(marks))
    marked = [(mark, message, key) for mark, message, key in zip(marks, messages, keys, strict=True) if key]
    if not marked:
        return
    with client.pipeline(transaction=False) as pipeline:
        for _, message, key in marked:
            pipeline.lpos(Queue.redis_queue_namespace_prefix + message.queue, cast(str, key))
        places = pipeline.execute()
    if lost := [mark for (mark, _, _), place in zip(marked, places, strict=True) if place is None]:
        client.delete(*lost)


def queue_depth() -> int:
    """Count the messages that wait on all queues, except captures: those are counted in PostgreSQL."""
    with redis_client().pipeline(transaction=False) as pipeline:
        for name in (name for name in QUEUES if name not in WAKE_UPS):
            pipeline.llen(Queue.redis_queue_namespace_prefix + name)
        return sum(pipeline.execute())


def _enqueue(name: str, messages: Sequence[Message]) -> None:
    origin = _current_origin()
    with redis_client().pipeline() as pipeline:
        for message in messages:
            if origin.request_id and message.subject:
                value = json.dumps(origin.fields)
                pipeline.set(REQUEST_OF + message.subject, value, ex=REQUEST_OF_SECONDS)
        rq_queue(name).enqueue_many([_as_job_data(message, origin) for message in messages], pipeline)
        pipeline.execute()


def _unless_waiting(message: Message) -> Message | None:
    if not message.once:
        return message
    marked = replace(message, key=uuid4().hex)
    return marked if redis_client().set(MARK + message.function, marked.key, nx=True, ex=MARK_SECONDS) else None


def _current_origin() -> MessageOrigin:
    return MessageOrigin(current_request_id(), current_traceparent())


def _as_job_data(message: Message, origin: MessageOrigin) -> Any:
    return Queue.prepare_data(
        message.function,
        kwargs=message.arguments,
        timeout=message.timeout_seconds,
        job_id=message.key or None,
        result_ttl=0,
        failure_ttl=3600,
        description=message.function.rpartition(".")[2],
        meta=origin.fields,
    )
