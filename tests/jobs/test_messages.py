"""Whoever writes to Redis runs nothing that was not declared, and what is no message ends no worker (R-TRUST 4)."""

from __future__ import annotations

import json
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from backend.extensions import db
from backend.jobs.former_names import FORMER_NAMES
from backend.jobs.lanes import LANES
from backend.jobs.message_fields import MOST_BYTES
from backend.jobs.messages import DROPPED, DeclaredJob, dropped_messages
from backend.jobs.models import Job
from backend.jobs.queue import QUEUES, send
from backend.jobs.registry import declared_job, declared_names, load_jobs
from backend.jobs.scheduler import scheduled_jobs
from backend.jobs.service import KINDS, job_message
from backend.jobs.worker import make_worker
from backend.local_stack.processes import inherited_environment, spawn, terminate
from backend.redis.client import redis_client
from config import Settings
from tests.support.api import Api
from tests.support.processes import eventually

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ROOT = Path(__file__).parent.parent.parent
QUEUE = "rq:queue:interactive"
Put = Callable[[redis.Redis, str, Path], None]


def push(client: redis.Redis, id_: str | bytes, **fields: Any) -> None:
    if fields:
        client.hset(f"rq:job:{id_!s}", mapping=fields)
    client.rpush(QUEUE, id_)


def call(name: object, arguments: object = None, positional: object = ()) -> bytes:
    return zlib.compress(json.dumps([name, None, positional, {} if arguments is None else arguments]).encode())


def put(**fields: Any) -> Put:
    """A message with these fields beside those that it needs."""

    def write(client: redis.Redis, id_: str, marker: Path) -> None:
        push(client, id_, **{"data": call("auth.purge_mail_tokens"), "origin": "interactive", **fields})

    return write


def put_touching(name: str) -> Put:
    """A message that names a function which would leave a file."""

    def write(client: redis.Redis, id_: str, marker: Path) -> None:
        push(client, id_, data=call(name, positional=[f"touch {marker}"]), origin="interactive", timeout=30)

    return write


def put_id(id_: bytes) -> Put:
    return lambda client, _, __: push(client, id_)


MALFORMED: dict[str, Put] = {
    "os.system": put_touching("os.system"),
    "os.system with what it takes by name": put(data=call("os.system", {"command": "true"})),
    "a function of ours that is no job": put(data=call("backend.jobs.worker.run_worker")),
    "a method": put(data=call("builtins.eval", positional=["1"])),
    "another job's arguments": put(data=call("capture.capture_bookmark", {"job_id": "x"})),
    "no argument": put(data=call("capture.capture_bookmark")),
    "an argument too many": put(data=call("auth.purge_mail_tokens", {"days": 1})),
    "an argument of another type": put(data=call("capture.capture_bookmark", {"bookmark_id": "1"})),
    "an argument that is no UUID": put(data=call("mail.send_mail", {"mail_id": "x"})),
    "arguments by position": put(data=call("capture.capture_bookmark", positional=[1])),
    "arguments that are a list": put(data=call("auth.purge_mail_tokens", arguments=[])),
    "a name that is a number": put(data=call(5)),
    "a name that is a list": put(data=call(["os", "system"])),
    "an instance": put(data=zlib.compress(b'["auth.purge_mail_tokens", {"a": 1}, [], {}]')),
    "no data": put(data=b""),
    "data that is not packed": put(data=b'["auth.purge_mail_tokens", null, [], {}]'),
    "data that is cut": put(data=call("auth.purge_mail_tokens")[:-6]),
    "random data": put(data=bytes(range(256))),
    "a pickle": put(data=zlib.compress(b"cos\nsystem\n(S'true'\ntR.")),
    "no JSON": put(data=zlib.compress(b"[")),
    "JSON of another form": put(data=zlib.compress(b'{"function": "auth.purge_mail_tokens"}')),
    "JSON that is a word": put(data=zlib.compress(b'"abcd"')),
    "too few parts": put(data=zlib.compress(b'["auth.purge_mail_tokens"]')),
    "deep JSON": put(data=zlib.compress(b"[" * 50_000)),
    "a long number": put(data=zlib.compress(b'["a", null, [], {"n": ' + b"9" * 20_000 + b"}]")),
    "bytes that are no text": put(data=zlib.compress(b"\xff\xfe")),
    "a bomb": put(data=zlib.compress(b" " * 50_000_000)),
    "more than a message holds": put(data=b"x" * (MOST_BYTES + 1)),
    "a time that is a word": put(timeout="soon"),
    "a time that is endless": put(timeout="-1"),
    "a time of days": put(timeout="99999999"),
    "an origin that is no queue": put(origin="a b\x00c"),
    "a string": lambda client, id_, _: (client.set(f"rq:job:{id_}", "x"), push(client, id_))[1],  # type: ignore[func-returns-value]
    "a list": lambda client, id_, _: (client.rpush(f"rq:job:{id_}", "x"), push(client, id_))[1],  # type: ignore[func-returns-value]
    "an id that is no text": put_id(b"\xff\xfe\x00"),
    "an empty id": put_id(b""),
    "an id with a colon": put_id(b"job:1"),
    "a long id": put_id(b"a" * 10_000),
}  # fmt: skip


@pytest.fixture
def ai_test(ada: Api, context: Flask) -> Job:
    """A job that ends as soon as a worker sees it: no provider is set."""
    job = Job(organization_id=ada.organization_id, user_id=ada.user_id, kind="ai_test")
    db.session.add(job)
    db.session.commit()
    return job


@pytest.fixture
def worker_process(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A worker in a process of its own; the file that holds what it writes."""
    variables = {
        "ENVIRONMENT": "testing",
        "SECRET_KEY": settings.SECRET_KEY.get_secret_value(),
        "JWT_SECRET_KEY": settings.JWT_SECRET_KEY.get_secret_value(),
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(settings.FUZE_DATA_DIR),
        "EMBEDDING_PROVIDER": "none",
        "PYTHONPATH": str(ROOT),
    }
    output = tmp_path / "worker.log"
    with output.open("wb") as log:
        argv = [sys.executable, "-m", "backend", "worker"]
        process = spawn(argv, env=inherited_environment(**variables), cwd=tmp_path, output=log)
    try:
        yield output
        assert process.poll() is None, output.read_text()
    finally:
        terminate(process, signal.SIGTERM, timeout=30)


def work_off() -> None:
    make_worker().work(burst=True, logging_level="WARNING")


def has_ended(job: Job) -> bool:
    db.session.rollback()
    return db.session.get_one(Job, job.id, populate_existing=True).status == "failed"


@pytest.mark.parametrize("form", MALFORMED)
def test_what_is_no_message_is_dropped_and_counted_and_the_next_one_runs(
    form: str, ai_test: Job, context: Flask, tmp_path: Path
) -> None:
    client, marker = redis_client(), tmp_path / "marker"
    MALFORMED[form](client, "malformed", marker)
    send([job_message(ai_test)])
    work_off()
    assert sum(dropped_messages(client).values()) == 1
    assert has_ended(ai_test)
    assert not marker.exists()
    assert not client.exists("rq:job:malformed")
    assert client.llen(QUEUE) == 0


@pytest.mark.processes
def test_a_real_worker_goes_on_after_all_of_them(ai_test: Job, worker_process: Path, tmp_path: Path) -> None:
    client, marker = redis_client(), tmp_path / "marker"
    assert eventually(lambda: client.zcard("fuze:workers") == len(LANES), timeout=60)
    workers = client.zrange("fuze:workers", 0, -1)
    for number, form in enumerate(MALFORMED.values()):
        form(client, f"malformed-{number}", marker)
    for worker in cast("list[bytes]", workers):
        client.publish(f"rq:pubsub:{worker.decode()}", "not JSON")
        client.publish(f"rq:pubsub:{worker.decode()}", json.dumps({"command": "shutdown"}))
    client.set("rq:suspended", 1)
    send([job_message(ai_test)])
    assert eventually(lambda: has_ended(ai_test), timeout=60), worker_process.read_text()
    assert sum(dropped_messages(client).values()) == len(MALFORMED)
    # The same process has done it all.
    assert set(client.zrange("fuze:workers", 0, -1)) == set(workers)
    assert not marker.exists()


@pytest.mark.parametrize("key", ["rq:queue:capture", "rq:wip:interactive", "rq:workers:interactive", "rq:queues"])
def test_a_key_of_another_type_in_the_place_of_rqs_own_is_removed(key: str, ai_test: Job, context: Flask) -> None:
    send([job_message(ai_test)])
    client = redis_client()
    client.delete(key)
    client.set(key, "x")
    work_off()
    if not has_ended(ai_test):  # Its message was lost with the fault; the scheduler sends it again.
        send([job_message(ai_test)])
        work_off()
    assert has_ended(ai_test)
    assert client.type(key) != b"string"


def test_callbacks_webhooks_and_repetitions_in_a_message_are_left_alone(
    ai_test: Job, context: Flask, tmp_path: Path
) -> None:
    client, marker = redis_client(), tmp_path / "marker"
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w')\ndef run(*a): open({str(marker)!r}, 'w')\n")
    sys.path.insert(0, str(tmp_path))
    try:
        push(
            client,
            "armed",
            data=call("profile.run_ai_test", {"job_id": str(ai_test.id)}),
            origin="interactive",
            success_callback_name="evil.run",
            failure_callback_name="evil.run",
            stopped_callback_name="evil.run",
            webhooks=json.dumps([{"url": "http://127.0.0.1:9/", "job_status": "finished"}]),
            repeats_left=5,
            repeat_intervals="[0]",
            retries_left=5,
            rate_limit_key="x",
            rate_limit_concurrency=1,
            dependency_ids='["armed"]',
            group_id="x",
            result_ttl=-1,
            exc_info=b"\xff",
            meta='{"request_id": {"a": 1}}',
        )
        client.sadd("rq:job:armed:dependents", "other")
        work_off()
    finally:
        sys.path.remove(str(tmp_path))
    assert has_ended(ai_test)
    assert not marker.exists()
    assert client.llen(QUEUE) == 0
    assert dropped_messages(client) == {}


def test_what_rq_would_import_is_never_read(context: Flask) -> None:
    load_jobs()
    client = redis_client()
    push(client, "one", data=call("auth.purge_sessions"), origin="bulk", success_callback_name="os.system")
    job = DeclaredJob.fetch("one", connection=client)
    assert [job.success_callback, job.failure_callback, job.stopped_callback] == [None] * 3
    assert job.webhooks == []
    assert job.func.__name__ == "purge_sessions"
    assert job.serializer is JSONSerializer


def test_abandoned_messages_are_cleaned_up_without_what_they_name(context: Flask, tmp_path: Path) -> None:
    client = redis_client()
    push(client, "dead", data=call("os.system"), status="started", failure_callback_name="os.system")
    client.delete(QUEUE)
    client.zadd("rq:wip:interactive", {"dead:execution": 1.0, b"\xff": 1.0, "gone:1": 1.0})
    make_worker().run_maintenance_tasks()
    assert not client.exists("rq:job:dead")
    assert client.zcard("rq:wip:interactive") == 0


def test_messages_of_the_release_before_are_understood(ai_test: Job, context: Flask) -> None:
    queue = Queue("interactive", connection=redis_client(), serializer=JSONSerializer)
    queue.enqueue_call("backend.profile.jobs.run_ai_test", kwargs={"job_id": str(ai_test.id)}, result_ttl=0)
    work_off()
    assert has_ended(ai_test)


def test_a_message_that_was_worked_off_or_never_was_is_passed_over_in_silence(context: Flask) -> None:
    push(redis_client(), str(uuid4()))
    work_off()
    assert dropped_messages(redis_client()) == {}


def test_a_counter_of_another_type_stops_nothing(ai_test: Job, context: Flask) -> None:
    client = redis_client()
    client.set(DROPPED, "x")
    put(data=b"")(client, "malformed", Path())
    send([job_message(ai_test)])
    work_off()
    assert has_ended(ai_test)


def test_every_name_that_is_sent_is_declared() -> None:
    load_jobs()
    sent = {work.function for work in scheduled_jobs(60)} | {message.function for message in KINDS.values()}
    written = {
        name
        for path in (ROOT / "backend").rglob("*.py")
        for name in declared_names() | set(FORMER_NAMES)
        if f'"{name}"' in path.read_text() and path.name != "former_names.py"
    }
    assert sent <= declared_names()
    assert not written & set(FORMER_NAMES)
    assert set(FORMER_NAMES.values()) <= declared_names()


def test_former_names_stand_for_what_they_were() -> None:
    load_jobs()
    for former, name in FORMER_NAMES.items():
        declaration = declared_job(name)
        assert declaration is not None
        assert former.rpartition(".")[2] == declaration.function.__name__


def test_the_queues_speak_json(context: Flask) -> None:
    for name in QUEUES:
        job = RqJob.create("auth.purge_sessions", connection=redis_client(), serializer=JSONSerializer)
        assert json.loads(job.data)[0] == "auth.purge_sessions", name
