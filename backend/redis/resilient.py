"""The way to Redis of everything that answers at once: who is acting, the limits, the cache.

Commands go in one round trip. What has just failed is left alone for a moment, and then one request probes. Two things
make what is read there safe to believe:

- *Marks* are what all processes must know after a commit (a session has ended, an organization's things have changed).
  Those that cannot be written wait in this process: they go before its next question, and a thread of their own writes
  them as soon as Redis answers again.
- After Redis was away, or was started anew, nothing is believed for some seconds, so that every process has written its
  marks by then. Keys begin with the number of Redis's own run: what a Redis brings back from its disk after a crash may
  lack the last marks, and is not looked at.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any, cast

import redis
from loguru import logger
from redis.connection import AbstractConnection
from redis.exceptions import NoPermissionError, NoScriptError

from backend.circuit_breaker import CircuitBreaker
from backend.redis import connections as redis_connections
from backend.redis.connections import RedisConnections
from backend.redis.faults import redis_fault

PAUSE_SECONDS = 1.0
UNTRUSTED_SECONDS = 2.0
RETRY_SECONDS = 0.1
GENERATION_BYTES = 8
# Under this name is counted how many questions failed, of all processes.
FAILURE_COUNT = "redis-failures"

# Where INFO is not allowed, a run of Redis is told from others by where in its memory Lua's table of functions lies: it
# is the same for all who ask, and another after each start.
RUN_PROBE = ("EVAL", "return tostring(redis)", 0)

Command = redis_connections.Command
# What a key holds from now on, and for how many seconds. None stands for something else each time that it is sent.
Invalidation = tuple[bytes | None, int]
# A mark that Redis has not got yet, with until when it matters.
_Waiting = tuple[bytes | None, int, float]
ConnectHook = Callable[[AbstractConnection], None]
InvalidationCommand = Callable[[Mapping[str, tuple[bytes, int]]], Command]

_sources: dict[str, str] = {}


@dataclass(frozen=True)
class Script:
    """A Lua script. Made once, when its module is loaded."""

    source: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        # SHA-1 is how Redis names scripts; no secret hangs on it.
        object.__setattr__(self, "sha", sha1(self.source.encode(), usedforsecurity=False).hexdigest())
        _sources[self.sha] = self.source

    def command(self, keys: Sequence[str], *values: Any) -> Command:
        """The command that runs it."""
        return ("EVALSHA", self.sha, len(keys), *keys, *values)


class CircuitOpen(redis.ConnectionError):
    """Redis has failed lately and was not asked."""


class ResilientRedis:
    """One for each process; its threads share it."""

    def __init__(self, connect: Callable[[ConnectHook], redis.Redis]) -> None:
        """Connects on first use; `connect` makes the client, given what to call for each new connection."""
        self.client = connect(self._connected)
        self._connections = RedisConnections(self.client.connection_pool)
        self._breaker = CircuitBreaker(redis.RedisError, lambda fault: CircuitOpen(str(fault)), seconds=PAUSE_SECONDS)
        self._run = ""
        self._is_run_by_place = False
        self._distrusted_until = 0.0
        self._lock = threading.Lock()
        self._unsent: dict[str, _Waiting] = {}
        self._sender: threading.Thread | None = None
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether the last question was answered."""
        return self._breaker.fault is None

    @property
    def is_trusted(self) -> bool:
        """Whether what other processes have done is known to have arrived."""
        return time.monotonic() >= self._distrusted_until

    def key(self, name: str) -> str:
        """The key of a name. Only while a question is made: it changes with Redis's run."""
        return f"fuze:{self._run}:{name}"

    def execute(self, commands: Callable[[], Sequence[Command]]) -> list[Any] | None:
        """The answers to all commands, in one round trip; None while Redis is away.

        `commands` makes them, with `key`.
        """
        try:
            return self._breaker.call(lambda: self._ask(commands))
        except CircuitOpen:
            return None
        except redis.RedisError as error:
            self._note(error)
            return None

    def invalidate(self, marks: Mapping[str, Invalidation], along: InvalidationCommand | None = None) -> None:
        """Let all processes know these marks, by name: at once or, while Redis is away, as soon as it is back.

        `along` makes the command that sets them, given what they hold, if it is to do more than that. Where it cannot
        be sent they are set without it. One round trip; none without marks.
        """
        if along is not None and self.execute(lambda: [along(_values(marks))]) is not None:
            return
        now = time.monotonic()
        with self._lock:
            self._unsent |= {name: (value, seconds, now + seconds) for name, (value, seconds) in marks.items()}
        self.execute(lambda: [])
        if self._unsent:
            self._send_later()

    def forget_failures(self) -> None:
        """As after the start: nothing has failed, no mark waits."""
        with self._lock:
            self._unsent = {}
        self._distrusted_until = 0.0
        self._breaker.forget()

    def _connected(self, connection: AbstractConnection) -> None:
        connection.on_connect()  # type: ignore[no-untyped-call]
        try:
            lines = _answer(connection, "INFO", "server").decode().splitlines()
            self._see_run(
                next((line.partition(":")[2][:12] for line in lines if line.startswith("run_id:")), "unknown")
            )
        except NoPermissionError:
            self._is_run_by_place = True
            self._see_run(_run_by_place(_answer(connection, *RUN_PROBE)))

    def _see_run(self, run: str) -> None:
        if self._run not in ("", run):
            logger.warning("Redis was started anew")
            self._distrust()
        self._run = run

    def _ask(self, commands: Callable[[], Sequence[Command]]) -> list[Any] | None:
        if self._unsent:
            self._write_marks()
        if self._failures:
            failures, self._failures = self._failures, 0
            self._execute(lambda: [("INCRBY", self.key(FAILURE_COUNT), failures)])
        return self._execute(commands)

    def _execute(self, commands: Callable[[], Sequence[Command]]) -> list[Any] | None:
        if not self._run:
            self.client.ping()
        run = self._run
        answers = self._send(commands())
        # What was asked of the Redis before says nothing of this one.
        return answers if run == self._run else None

    def _send(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        answers = self._pipe(commands)
        unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            if self._is_run_by_place:
                self._see_run(_run_by_place(self._pipe([RUN_PROBE])[0]))  # Forgetting all scripts has moved the table.
            self._pipe([("SCRIPT", "LOAD", source) for source in _sources.values()])
            for at, answer in zip(unknown, self._pipe([commands[at] for at in unknown]), strict=True):
                answers[at] = answer
        for answer in answers:
            if isinstance(answer, redis.RedisError):
                raise answer
        return answers

    def _pipe(self, commands: Sequence[Command]) -> list[Any]:
        """The answers, errors among them; past the client, whose own way to the connection takes longer."""
        return self._connections.exchange(commands)

    def _write_marks(self) -> None:
        while waiting := self._waiting():
            if self._execute(lambda marks=waiting: self._set_commands(marks)) is None:  # type: ignore[misc]
                continue  # Another Redis: there the marks have other names.
            with self._lock:
                self._unsent = {name: mark for name, mark in self._unsent.items() if waiting.get(name) != mark}

    def _set_commands(self, marks: Mapping[str, _Waiting]) -> list[Command]:
        values = _values({name: (value, seconds) for name, (value, seconds, _) in marks.items()})
        return [("SET", self.key(name), value, "EX", seconds) for name, (value, seconds) in values.items()]

    def _waiting(self) -> dict[str, _Waiting]:
        if not self._unsent:
            return {}
        with self._lock:
            now = time.monotonic()
            self._unsent = {name: mark for name, mark in self._unsent.items() if mark[2] > now}
            return dict(self._unsent)

    def _send_later(self) -> None:
        with self._lock:
            if self._sender is None or not self._sender.is_alive():
                self._sender = threading.Thread(target=self._keep_sending, name="redis-marks", daemon=True)
                self._sender.start()

    def _keep_sending(self) -> None:
        while self._unsent:
            time.sleep(RETRY_SECONDS)
            try:
                self._write_marks()
            except redis.RedisError:
                self._distrust()

    def _note(self, error: redis.RedisError) -> None:
        self._failures += 1
        self._distrust()
        logger.warning("Redis is left alone for {} s: {} ({})", PAUSE_SECONDS, redis_fault(error), error)

    def _distrust(self) -> None:
        self._distrusted_until = time.monotonic() + UNTRUSTED_SECONDS


def _answer(connection: AbstractConnection, *command: Any) -> bytes:
    connection.send_command(*command)  # type: ignore[no-untyped-call]
    return cast(bytes, connection.read_response())


def _run_by_place(place: bytes) -> str:
    return sha1(place, usedforsecurity=False).hexdigest()[:12]


def _values(marks: Mapping[str, Invalidation]) -> dict[str, tuple[bytes, int]]:
    return {
        name: (secrets.token_bytes(GENERATION_BYTES) if value is None else value, seconds)
        for name, (value, seconds) in marks.items()
    }
