"""Messages from Redis, read as if anybody could have written them.

What RQ finds there it believes: it imports the function and the callbacks that a message names, calls its webhooks,
repeats it and starts what depends on it. Here a message is the name of a declared job and arguments that fit it. Of
its other fields a few are read that a waiting message has; all others are left alone. What cannot be read is dropped,
counted and logged, and the worker goes on.
"""

from __future__ import annotations

import json
import re
import time
import zlib
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
from backend.jobs.former_names import FORMER_NAMES
from backend.jobs.registry import Declaration, UnfitArguments, declared_job

# How many messages were dropped, by reason.
DROPPED = "fuze:dropped-messages"
FIELDS = ("data", "meta", "origin", "timeout", "status")
MOST_BYTES = 65_536
DEFAULT_TIMEOUT_SECONDS, LONGEST_TIMEOUT_SECONDS = 120, 3_600
ID = re.compile(rb"[A-Za-z0-9_-]{1,200}")
WORD = re.compile(r"[\w.:/-]{1,200}", re.ASCII)
# After a fault that no message explains, so that one which stays does not keep a processor busy.
PAUSE_SECONDS = 1.0
# What RQ keeps under each key, for a queue or for all: what is of another type there stops every worker.
QUEUE_KEYS = {
    "rq:queue:{}": b"list", "rq:wip:{}": b"zset", "rq:failed:{}": b"zset", "rq:finished:{}": b"zset",
    "rq:deferred:{}": b"zset", "rq:scheduled:{}": b"zset", "rq:canceled:{}": b"zset", "rq:ready:{}": b"zset",
    "rq:workers:{}": b"set",
}  # fmt: skip
COMMON_KEYS = {"rq:workers": b"set", "rq:queues": b"set"}


class MalformedMessage(NoSuchJobError):
    """A message that says nothing a worker could do. To RQ it is one that is not there: it goes on to the next."""


class DeclaredJob(Job):
    """A message that names a declared job."""

    declaration: Declaration

    @classmethod
    def fetch(cls, id: str, connection: redis.Redis | None = None, serializer: Any = None) -> DeclaredJob:
        """Read a message.

        Raises:
            MalformedMessage: it is none, and was dropped.
            NoSuchJobError: there is no message of this id any more.
        """
        assert connection is not None
        if not ID.fullmatch(id.encode(errors="replace")):
            drop(connection, id, "id")
            raise MalformedMessage
        message = cls(id, connection=connection, serializer=JSONSerializer)
        try:
            message.refresh()
        except MalformedMessage as fault:
            drop(connection, id, str(fault))
            raise
        return message

    @classmethod
    def fetch_many(cls, job_ids: Iterable[str], connection: redis.Redis, serializer: Any = None) -> list[Job | None]:
        """Read several messages; None for those that are not there, or are none."""
        return [cls._fetch_if_there(id_, connection) for id_ in job_ids]

    def refresh(self) -> None:
        """Read the fields that count.

        Raises:
            MalformedMessage: they are not of their form.
            NoSuchJobError: there is no such message any more.
        """
        self.restore(_read_fields(self.connection, self.key))

    def restore(self, raw_data: Mapping[str, bytes]) -> None:
        """Take over the fields that count, and no others.

        Raises:
            MalformedMessage: they are not of their form.
        """
        self._data = _unpack(raw_data.get("data", b""))
        self._func_name, self._args, self._kwargs = _read_call(self._data)
        self._instance = None
        self.declaration = _declaration_of(self._func_name, self._kwargs)
        self.origin = _word(raw_data.get("origin", b""))
        self.timeout = _timeout(raw_data.get("timeout"))
        self.result_ttl, self.failure_ttl = 0, 3600
        self.meta = {"request_id": _request_id(raw_data.get("meta", b""))}
        self._status = _status(raw_data.get("status", b"")) or JobStatus.CREATED

    @property
    def func(self) -> Callable[..., Any]:
        """The declared function: RQ would import what the message names."""
        return self.declaration.function

    def _fetch_status(self) -> JobStatus:
        status = _status(cast(bytes, self.connection.hget(self.key, "status") or b""))
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
    """A queue whose messages start nothing but themselves."""

    job_class = DeclaredJob

    @classmethod
    def lpop(cls, queue_keys: Any, timeout: int | None, connection: redis.Redis | None = None) -> Any:
        """The next id, of those that can be one, with its queue's key."""
        assert connection is not None
        while True:
            popped = super().lpop(queue_keys, timeout, connection=connection)
            if popped is None or ID.fullmatch(popped[1]):
                return popped
            drop(connection, popped[1].decode(errors="replace"), "id")

    @classmethod
    def lmove(cls, connection: redis.Redis, queue_key: str, timeout: int | None) -> Any:
        """The same for one queue: no second list is needed, since the scheduler sends again what is lost."""
        return cls.lpop([queue_key], timeout, connection)

    def move_dependents_to_ready(self, job: Job, *arguments: Any, **named: Any) -> dict[str, list[str]]:
        """No message of ours waits for another."""
        return {}

    def enqueue_dependents(self, job: Job, *arguments: Any, **named: Any) -> dict[str, list[str]]:
        """No message of ours waits for another."""
        return {}


class DeclaredWorker(Worker):
    """An RQ worker that runs declared jobs only, takes no commands through Redis, and outlives what stands there."""

    job_class = DeclaredJob
    queue_class = DeclaredQueue

    def register_birth(self) -> None:
        """Begin where RQ's records have their types."""
        remove_foreign_keys(self.connection, self.queue_names())
        super().register_birth()  # type: ignore[no-untyped-call]

    def subscribe(self) -> None:
        """Take no commands: signals end a worker, not whoever can publish."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""

    def check_for_suspension(self, burst: bool) -> None:
        """A key in Redis suspends nobody."""

    def clean_group_registries(self) -> None:
        """No message of ours belongs to a group."""

    def run_maintenance_tasks(self) -> None:
        """Forget what dead workers left, and failures of long ago. RQ's own way would read all of these messages."""
        with self._outliving_faults("cleaning up"):
            for queue in self.queues:
                _forget_expired(self.connection, queue.name)
                clean_worker_registry(queue)
        self.last_cleaned_at = utc_now()  # type: ignore[assignment]

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next message that can be worked on; None where the worker is to stop, or to stop when there is none."""
        while not self._stop_requested:
            with self._outliving_faults("waiting for messages"):
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
        return None

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Work on a message, in a fork."""
        with self._outliving_faults(f"working on message {job.id}"):
            super().execute_job(job, queue)

    @contextmanager
    def _outliving_faults(self, doing: str) -> Iterator[None]:
        """Go on after a fault in RQ's own records; a Redis that is away is for RQ to wait for."""
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


def drop(connection: redis.Redis, id: str, reason: str) -> None:
    """Remove a message that is none, and say so. One round trip."""
    with connection.pipeline(transaction=False) as pipeline:
        pipeline.hincrby(DROPPED, reason, 1)
        if ID.fullmatch(id.encode(errors="replace")):
            pipeline.delete(DeclaredJob.key_for(id))
        pipeline.execute(raise_on_error=False)
    logger.warning("message {!r} dropped: {}", id[:80], reason)


def dropped_messages(connection: redis.Redis) -> dict[str, int]:
    """How many messages were dropped since Redis began, by reason. One round trip."""
    found = cast("dict[bytes, bytes]", connection.hgetall(DROPPED))
    return {reason.decode(): int(number) for reason, number in found.items()}


def remove_foreign_keys(connection: redis.Redis, queues: Iterable[str]) -> None:
    """Delete what stands in the place of RQ's own records and is of another type. Two round trips at most."""
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
    """The messages of dead workers go; what was to be done is a row that the scheduler sees."""
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


def _read_fields(connection: redis.Redis, key: str) -> dict[str, bytes]:
    try:
        with connection.pipeline(transaction=False) as pipeline:
            for field in FIELDS:
                pipeline.hstrlen(key, field)
            sizes = pipeline.execute()
        if not any(sizes):
            raise NoSuchJobError(f"No such message: {key}")
        if sum(sizes) > MOST_BYTES:
            raise MalformedMessage("size")
        values = cast("list[bytes | None]", connection.hmget(key, FIELDS))
    except redis.ResponseError as error:
        if "WRONGTYPE" in str(error):
            raise MalformedMessage("type") from None
        raise
    return {field: value for field, value in zip(FIELDS, values, strict=True) if value is not None}


def _unpack(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, MOST_BYTES)
    except zlib.error:
        raise MalformedMessage("data") from None
    if not unpacking.eof:
        raise MalformedMessage("data")
    return data


def _read_call(data: bytes) -> tuple[str, tuple[()], dict[str, Any]]:
    try:
        name, instance, positional, named = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        raise MalformedMessage("data") from None
    if not isinstance(name, str) or instance is not None or positional != [] or not isinstance(named, dict):
        raise MalformedMessage("data")
    return name, (), named


def _declaration_of(name: str, arguments: dict[str, Any]) -> Declaration:
    declaration = declared_job(FORMER_NAMES.get(name, name))
    if declaration is None:
        raise MalformedMessage("function")
    try:
        declaration.check(arguments)
    except UnfitArguments:
        raise MalformedMessage("arguments") from None
    return declaration


def _timeout(raw: bytes | None) -> int:
    if raw is None:
        return DEFAULT_TIMEOUT_SECONDS
    if not re.fullmatch(rb"[0-9]{1,4}", raw) or not 1 <= int(raw) <= LONGEST_TIMEOUT_SECONDS:
        raise MalformedMessage("timeout")
    return int(raw)


def _word(raw: bytes) -> str:
    text = raw.decode(errors="replace")
    if not WORD.fullmatch(text):
        raise MalformedMessage("origin")
    return text


def _request_id(raw: bytes) -> str:
    """The request that asked for it, to be logged; none where that cannot be told."""
    try:
        meta = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        return ""
    request_id = meta.get("request_id") if isinstance(meta, dict) else None
    return request_id if isinstance(request_id, str) and WORD.fullmatch(request_id) else ""


def _status(raw: bytes) -> JobStatus | None:
    text = raw.decode(errors="replace")
    return next((status for status in JobStatus if status.value == text), None)
