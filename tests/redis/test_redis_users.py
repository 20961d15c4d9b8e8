"""A Redis that is not all ours: a user with few rights, a wrong password, no answer, and a start anew in between."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, ResponseError

from backend.app import create_app
from backend.jobs.lanes import LANES
from backend.local_stack.processes import spawn, terminate
from backend.local_stack.redis import EmbeddedRedis
from backend.redis.client import resilient_redis
from backend.redis.faults import redis_fault
from backend.redis.resilient import Script
from config import Settings
from tests.support.processes import eventually
from tests.support.stack import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.processes]
PASSWORD = "nine-quiet-otters"
# What hosted Redis gives, and less than is needed.
USERS = {"tenant": ("~*", "&*", "+@all", "-@dangerous"), "reader": ("~*", "&*", "+@read", "+@connection")}


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuze-users-") as path:
        yield Path(path)


@pytest.fixture
def server() -> Iterator[EmbeddedRedis]:
    with tempfile.TemporaryDirectory(prefix="fuze-users-") as path, EmbeddedRedis(Path(path)) as running:
        add_users(running)
        yield running


def add_users(server: EmbeddedRedis) -> None:
    client = Redis.from_url(server.url)
    for name, rights in USERS.items():
        client.execute_command("ACL", "SETUSER", name, "on", f">{PASSWORD}", *rights)
    client.close()


def address(server: EmbeddedRedis, user: str, password: str = PASSWORD) -> str:
    return server.url.replace("unix://", f"unix://{user}:{password}@")


@pytest.fixture
def application(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    return lambda url: create_app(settings.model_copy(update={"REDIS_URL": url, "REDIS_PASSWORD": settings.SMTP_URL}))


def redis_check(app: Flask) -> tuple[int, str | None]:
    answer = app.test_client().get("/api/health/redis")
    return answer.status_code, answer.json["detail"]


def test_a_user_without_dangerous_commands_is_enough(application, server) -> None:
    app = application(address(server, "tenant"))
    assert redis_check(app) == (200, None)
    with app.app_context():
        gate = resilient_redis()
        gate.invalidate({"mark": (b"1", 60)})
        assert gate.execute(lambda: [("GET", gate.key("mark"))]) == [b"1"]
        other = application(address(server, "tenant"))
    with other.app_context():
        again = resilient_redis()
        assert again.execute(lambda: [("GET", again.key("mark"))]) == [b"1"], "all processes see the same run"


def test_a_start_anew_is_seen_without_info(application, server) -> None:
    """What Redis brings back from its disk may lack the last marks, and is not looked at."""
    app = application(address(server, "tenant"))
    with app.app_context():
        gate = resilient_redis()
        gate.invalidate({"mark": (b"1", 60)})
        before = gate.key("mark")
        server.stop()
        server.start()
        server.wait_ready()
        add_users(server)
        assert eventually(lambda: gate.execute(lambda: [("GET", before)]) is not None)
        assert gate.key("mark") != before
        assert not gate.is_trusted


def test_forgetting_all_scripts_leaves_every_process_with_the_same_keys(application, server) -> None:
    apps = [application(address(server, "tenant")) for _ in range(2)]
    keys = []
    script = "return redis.call('GET', KEYS[1])"
    with apps[0].app_context():
        resilient_redis().execute(lambda: [("PING",)])
    Redis.from_url(server.url).script_flush()
    made = Script(script)
    for app in apps:
        with app.app_context():
            gate = resilient_redis()
            gate.execute(lambda gate=gate: [made.command([gate.key("mark")])])
            gate.execute(lambda gate=gate: [made.command([gate.key("mark")])])
            keys.append(gate.key("mark"))
    assert keys[0] == keys[1]


def test_health_tells_a_wrong_password_a_missing_right_and_silence_apart(application, server) -> None:
    wrong = "Redis refuses the password: check REDIS_PASSWORD and REDIS_URL."
    assert redis_check(application(address(server, "tenant", "no"))) == (503, wrong)
    status, told = redis_check(application(address(server, "reader")))
    assert (status, told) == (503, "The Redis user lacks a right: give it +eval, or +@all -@dangerous.")
    away = "unix:///tmp/nothing-listens-here.sock?db=0"
    assert redis_check(application(away)) == (503, "Redis does not answer.")
    health = application(address(server, "tenant", "no")).test_client().get("/api/health").json["checks"]
    assert health["redis"]["detail"] == health["worker"]["detail"] == wrong


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [
        ("tenant", PASSWORD, "worker serves"),
        ("tenant", "no", "Error: Redis refuses the password: check REDIS_PASSWORD and REDIS_URL."),
        ("reader", PASSWORD, "Error: The Redis user lacks a right: give it +"),
    ],
)
def test_a_worker_runs_or_says_in_one_line_why_not(settings, server, directory, user, password, said) -> None:
    variables = {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": address(server, user, password)}
    log = directory / "log"
    with log.open("wb") as output:
        process = spawn(
            [sys.executable, "-m", "backend", "worker"],
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "EMBEDDING_PROVIDER": "none", **variables},
            cwd=directory,
            output=output,
        )
    try:
        assert eventually(lambda: said in log.read_text(), 60), log.read_text()
        if said.startswith("Error"):
            assert eventually(lambda: process.poll() == 1)
            assert log.read_text().splitlines()[-1].startswith(said)
        else:
            assert eventually(lambda: Redis.from_url(server.url).zcard("fuze:workers") == len(LANES))
        assert "Traceback" not in log.read_text()
        assert PASSWORD not in log.read_text()
    finally:
        terminate(process, signal.SIGTERM, 30)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AuthenticationError("invalid username-password pair or user is disabled."), "refuses the password"),
        (ResponseError("NOAUTH Authentication required."), "refuses the password"),
        (NoPermissionError("this user has no permissions to run the 'evalsha' command"), "+evalsha,"),
        (NoPermissionError("this user has no permissions to run the 'client|list' command"), "+client,"),
        (NoPermissionError("No permissions to access a key"), "~* for all keys"),
        (NoPermissionError("No permissions to access a channel"), "&* for all channels"),
        (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "raise its maxmemory"),
        (redis.ConnectionError("Error 111 connecting to 10.0.0.1:6379."), "does not answer"),
        (redis.TimeoutError("Timeout reading from socket"), "does not answer"),
    ],
)
def test_every_fault_has_its_words(error: redis.RedisError, said: str) -> None:
    assert said in redis_fault(error)
