"""Validated messages: RQ jobs whose content from Redis is treated as untrusted.

RQ trusts its records: it imports the function and callbacks that a message names, calls its webhooks, repeats it and
enqueues its dependents. Here a message is the name of a declared job and arguments that fit its signature; only the
fields in `FIELDS` are read. Malformed messages are dropped, counted and logged, and the worker goes on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import redis
from loguru import logger
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError, StopRequested
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.worker_registration import clean_worker_registry

from backend.clock import utc_now
from backend.jobs.message_fields import (
    MalformedMessage,
    declaration_of,
    read_call,
    read_fields,
    read_origin,
    read_status,
    read_timeout,
    read_word,
    unpack,
)
from backend.jobs.registry import Declaration

# Hash with the number of dropped messages by reason.
DROPPED = "fuze:dropped-messages"
ID = re.compile(rb"[A-Za-z0-9_-]{1,200}")
# After an unexplained fault, so that a persistent one does not keep a processor busy.
PAUSE_SECONDS = 1.0
# Types of RQ's own keys, for each queue or for all: a key of another type stops every worker.
QUEUE_KEYS = {
    "rq:queue:{}": b"list", "rq:wip:{}": b"zset", "rq:failed:{}": b"zset", "rq:finished:{}": b"zset",
    "rq:deferred:{}": b"zset", "rq:scheduled:{}": b"zset", "rq:canceled:{}": b"zset", "rq:ready:{}": b"zset",
    "rq:workers:{}": b"set",
}  # fmt: skip
COMMON_KEYS = {"rq:workers": b"set", "rq:queues": b"set"}


class DeclaredJob(Job):
    """An RQ job that names a declared job."""

    declaration: Declaration

    @classmethod
    def fetch(cls, id: str, connection: redis.Redis | None = None, serializer: Any = None) -> DeclaredJob:
        """Load a message.

        Raises:
            MalformedMessage: it is malformed, and was dropped.
            NoSuchJobError: there is no message of this id.
        """
        assert connection is not None
        if not ID.fullmatch(id.encode(errors="replace")):
            drop_message(connection, id, "id")
            raise MalformedMessage
        message = cls(id, connection=connection, serializer=JSONSerializer)
        try:
            message.refresh()
        except MalformedMessage as fault:
            drop_message(connection, id, str(fault))
            raise
        return message

    @classmethod
    def fetch_many(cls, job_ids: Iterable[str], connection: redis.Redis, serializer: Any = None) -> list[Job | None]:
        """Load several messages; None for missing and malformed ones."""
        return [cls._fetch_if_there(id_, connection) for id_ in job_ids]

    def refresh(self) -> None:
        """Reload the validated fields.

        Raises:
            MalformedMessage: a field is malformed.
            NoSuchJobError: the message is gone.
        """
        self.restore(read_fields(self.connection, self.key))

    def restore(self, raw_data: Mapping[str, bytes]) -> None:
        """Set the validated fields, and no others.

        Raises:
            MalformedMessage: a field is malformed.
        """
        self._data = unpack(raw_data.get("data", b""))
        self._func_name, self._args, self._kwargs = read_call(self._data)
        self._instance = None
        self.declaration = declaration_of(self._func_name, self._kwargs)
        self.origin = read_word(raw_data.get("origin", b""))
        self.timeout = read_timeout(raw_data.get("timeout"))
        self.result_ttl, self.failure_ttl = 0, 3600
        self.meta = read_origin(raw_data.get("meta", b"")).fields
        self._status = read_status(raw_data.get("status", b"")) or JobStatus.CREATED

    @property
    def func(self) -> Callable[..., Any]:
        """Return the declared function; RQ would import what the message names."""
        return self.declaration.function

    def _fetch_status(self) -> JobStatus:
        status = read_status(cast(bytes, self.connection.hget(self.key, "status") or b""))
        if status is None:
            raise InvalidJobOperation(f"The status of message {self.id} is gone.")
        return status

    @classmethod
    def _fetch_if_there(cls, id: str, connection: redis.Redis) -> Job | None:
        try:
            return cls.fetch(id.partition(":")[0], connection)
        except NoSuchJobError:
            return None


class DeclaredQueue(Queue):
    """RQ queue whose messages have no dependents and no callbacks."""

    job_class = DeclaredJob

    @classmethod
    def lpop(cls, queue_keys: Any, timeout: int | None, connection: redis.Redis | None = None) -> Any:
        """Pop the next well-formed id, with its queue's key."""
        assert connection is not None
        while True:
            popped = super().lpop(queue_keys, timeout, connection=connection)
            if popped is None or ID.fullmatch(popped[1]):
                return popped
            drop_message(connection, popped[1].decode(errors="replace"), "id")

    @classmethod
    def lmove(cls, connection: redis.Redis, queue_key: str, timeout: int | None) -> Any:
        """Pop from one queue; no second list is needed, since the scheduler sends lost messages again."""
        return cls.lpop([queue_key], timeout, connection)

    def move_dependents_to_ready(self, job: Job, *arguments: Any, **named: Any) -> dict[str, list[str]]:
        """Do nothing: no message depends on another."""
        return {}

    def enqueue_dependents(self, job: Job, *arguments: Any, **named: Any) -> dict[str, list[str]]:
        """Do nothing: no message depends on another."""
        return {}


class DeclaredWorker(Worker):
    """RQ worker that runs declared jobs only, accepts no commands through Redis, and survives malformed records."""

    job_class = DeclaredJob
    queue_class = DeclaredQueue

    def register_birth(self) -> None:
        """Remove keys of wrong types, then register the worker."""
        remove_foreign_keys(self.connection, self.queue_names())
        super().register_birth()  # type: ignore[no-untyped-call]

    def subscribe(self) -> None:
        """Do not subscribe to commands: signals stop a worker, not publishers."""

    def unsubscribe(self) -> None:
        """Do nothing: there is no subscription."""

    def check_for_suspension(self, burst: bool) -> None:
        """Ignore suspension: no key in Redis suspends a worker."""

    def clean_group_registries(self) -> None:
        """Do nothing: no message belongs to a group."""

    def run_maintenance_tasks(self) -> None:
        """Delete records of dead workers and expired failures. RQ's own clean-up would load all of these messages."""
        with self._outliving_faults("cleaning up"):
            for queue in self.queues:
                _forget_expired(self.connection, queue.name)
                clean_worker_registry(queue)
        self.last_cleaned_at = utc_now()  # type: ignore[assignment]

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Return the next runnable message; None when the worker is to stop, or when no message came in time."""
        while not self._stop_requested:
            with self._outliving_faults("waiting for messages"):
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        return None

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run a message in a fork."""
        with self._outliving_faults(f"working on message {job.id}"):
            super().execute_job(job, queue)

    @contextmanager
    def _outliving_faults(self, doing: str) -> Iterator[None]:
        """Go on after a fault in RQ's records; RQ itself waits for a Redis that is away."""
        try:
            yield
        except (redis.ConnectionError, redis.TimeoutError, StopRequested):
            raise
        except Exception as fault:
            logger.opt(exception=fault).error("a fault while {}, the worker goes on", doing)
            if self.horse_pid:
                self.kill_horse()
                self.wait_for_horse()
                self._horse_pid = 0
            remove_foreign_keys(self.connection, self.queue_names())
            time.sleep(PAUSE_SECONDS)


def drop_message(connection: redis.Redis, id: str, reason: str) -> None:
    """Delete a malformed message, count it and log it. One round trip."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.hincrby(DROPPED, reason, 1)
        if ID.fullmatch(id.encode(errors="replace")):
            pipeline.delete(DeclaredJob.key_for(id))
        pipeline.execute(raise_on_error=False)
    logger.warning("message {!r} dropped: {}", id[:80], reason)


def dropped_messages(connection: redis.Redis) -> dict[str, int]:
    """Return the number of dropped messages by reason, since Redis was set up. One round trip."""
    counts = cast("dict[bytes, bytes]", connection.hgetall(DROPPED))
    return {reason.decode(): int(number) for reason, number in counts.items()}


def remove_foreign_keys(connection: redis.Redis, queues: Iterable[str]) -> None:
    """Delete keys that carry RQ's names but another type. Two round trips at most."""
    expected = {pattern.format(queue): kind for queue in queues for pattern, kind in QUEUE_KEYS.items()} | COMMON_KEYS
    with connection.pipeline(transaction=False) as pipeline:
        for key in expected:
            pipeline.type(key)
        kinds = pipeline.execute()
    foreign = [key for key, kind in zip(expected, kinds, strict=True) if kind not in (b"none", expected[key])]
    if foreign:
        connection.delete(*foreign)
        logger.warning("keys of another type than RQ's were removed: {}", ", ".join(foreign))


def _forget_expired(connection: redis.Redis, queue: str) -> None:
    """Delete the messages of dead workers; the scheduler sends again what their rows still need."""
    now = time.time()
    expired = cast("list[bytes]", connection.zrangebyscore(f"rq:wip:{queue}", 0, now))
    for id_ in {entry.partition(b":")[0] for entry in expired}:
        key = DeclaredJob.key_for(id_.decode(errors="replace"))
        if ID.fullmatch(id_) and connection.type(key) == b"hash" and connection.hget(key, "status") == b"started":
            connection.delete(key)
    with connection.pipeline(transaction=False) as pipeline:
        for registry in ("wip", "failed", "finished"):
            pipeline.zremrangebyscore(f"rq:{registry}:{queue}", 0, now)
        pipeline.execute()
