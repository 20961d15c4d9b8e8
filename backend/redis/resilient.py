"""Resilient client of Redis for everything that answers at once: credentials, rate limits, the cache.

Commands go in one round trip, behind a circuit breaker, which the plain client shares: while Redis is away one call of
the process waits for it, and all others fail at once. Two rules make what is read there safe to use:

- *Invalidations* are values that all processes must see after a commit (a session has ended, rows of an organization
  have changed). Those that cannot be written are pending in this process: they go before its next commands, and a
  thread writes them as soon as Redis answers again.
- After an outage or a restart of Redis nothing is trusted for some seconds, until every process has written its pending
  invalidations. Keys begin with the id of Redis's run: what a Redis restores from its disk after a crash may lack the
  last invalidations, and is never read.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any, cast

import redis
from loguru import logger
from redis.connection import AbstractConnection
from redis.exceptions import NoPermissionError, NoScriptError

from backend.circuit_breaker import CircuitBreaker
from backend.named_blocks import read_blocks
from backend.redis import connections as redis_connections
from backend.redis.connections import RedisConnections
from backend.redis.faults import CircuitOpen, redis_fault
from backend.redis.guarded import GuardedRedis

PAUSE_SECONDS = 1.0
# A probe that hangs takes the time-outs of `client.py`: connecting and one reply.
PROBE_SECONDS = 3.0
UNTRUSTED_SECONDS = 2.0
RETRY_SECONDS = 0.1
GENERATION_BYTES = 8
# Key of the number of failed calls, of all processes.
FAILURE_COUNT = "redis-failures"

RUN_PROBE = ("EVAL", read_blocks(Path(__file__).with_suffix(".lua"))["run_probe"], 0)

Command = redis_connections.Command
# Value of a key and its expiry in seconds. None: a random value, another one each time that it is sent.
Invalidation = tuple[bytes | None, int]
# An invalidation that Redis lacks, and until when it matters.
_PendingInvalidation = tuple[bytes | None, int, float]
ConnectHook = Callable[[AbstractConnection], None]
Exchange = Callable[[Sequence[Command]], list[Any]]
InvalidationCommand = Callable[[Mapping[str, tuple[bytes, int]]], Command]

_script_sources: dict[str, str] = {}


@dataclass(frozen=True)
class Script:
    """Lua script, called by its SHA-1. Made once, when its module is loaded."""

    source: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        # Redis names scripts by SHA-1; nothing secret depends on it.
        object.__setattr__(self, "sha", sha1(self.source.encode(), usedforsecurity=False).hexdigest())
        _script_sources[self.sha] = self.source

    def command(self, keys: Sequence[str], *values: Any) -> Command:
        """Return the command that runs the script."""
        return ("EVALSHA", self.sha, len(keys), *keys, *values)


class ResilientRedis:
    """Client of Redis that tolerates outages. One for each process; its threads share it."""

    def __init__(self, connect: Callable[[ConnectHook], redis.Redis]) -> None:
        """Connect on first use; `connect` makes the client, given a hook to call for each new connection."""
        self._unguarded = connect(self._connected)
        # For commands that callers send one by one, behind the same circuit breaker.
        self.client: redis.Redis = GuardedRedis(self._unguarded.connection_pool, self._guard)
        # Past the client, whose own pool takes longer. Errors of single commands are among the replies.
        self._pipe: Exchange = RedisConnections(self._unguarded.connection_pool).exchange
        self._breaker = CircuitBreaker(
            redis.RedisError, _circuit_open, seconds=PAUSE_SECONDS, probe_seconds=PROBE_SECONDS
        )
        self._run = ""
        self._run_since = 0.0
        self._is_run_probed = False
        self._distrusted_until = 0.0
        self._lock = threading.Lock()
        self._pending: dict[str, _PendingInvalidation] = {}
        self._sender: threading.Thread | None = None
        self._failures = 0

    def wrap_exchange(self, wrap: Callable[[Exchange], Exchange]) -> None:
        """Have every round trip go through another function, which is given the one so far."""
        self._pipe = wrap(self._pipe)

    @property
    def is_open(self) -> bool:
        """Tell whether the last call was answered."""
        return self._breaker.fault is None

    @property
    def is_trusted(self) -> bool:
        """Tell whether the invalidations of all processes have certainly arrived."""
        return time.monotonic() >= self._distrusted_until

    @property
    def run_seconds(self) -> float:
        """For how long this process has known the present run of Redis."""
        return time.monotonic() - self._run_since if self._run else 0.0

    def key(self, name: str) -> str:
        """Return the key of a name. Call it only while commands are made: keys change with Redis's run."""
        return f"fuze:{self._run}:{name}"

    def execute(self, commands: Callable[[], Sequence[Command]]) -> list[Any] | None:
        """Return the replies to all commands, in one round trip; None while Redis is away.

        `commands` makes them, with `key`.
        """
        ask = self._catch_up if self._pending or self._failures else self._ask
        try:
            return cast("list[Any] | None", self._guard(lambda: ask(commands)))
        except redis.RedisError:
            return None

    def invalidate(self, invalidations: Mapping[str, Invalidation], command: InvalidationCommand | None = None) -> None:
        """Set invalidations by name, for all processes: at once or, while Redis is away, as soon as it is back.

        `command` makes a command that sets them, given their values, and does more than that. Where it cannot be sent
        they are set without it. One round trip; none without invalidations.
        """
        if command is not None and self.execute(lambda: [command(_values(invalidations))]) is not None:
            return
        now = time.monotonic()
        with self._lock:
            self._pending |= {name: (value, seconds, now + seconds) for name, (value, seconds) in invalidations.items()}
        self.execute(lambda: [])
        if self._pending:
            self._send_later()

    def forget_failures(self) -> None:
        """Reset to the state after the start: nothing has failed, no invalidation is pending."""
        with self._lock:
            self._pending = {}
        self._distrusted_until = 0.0
        self._breaker.reset()

    def _guard(self, function: Callable[[], Any]) -> Any:
        try:
            return self._breaker.call(function)
        except CircuitOpen:
            raise
        except redis.RedisError as error:
            self._record_failure(error)
            raise

    def _connected(self, connection: AbstractConnection) -> None:
        connection.on_connect()  # type: ignore[no-untyped-call]
        try:
            lines = _call(connection, "INFO", "server").decode().splitlines()
            self._see_run(
                next((line.partition(":")[2][:12] for line in lines if line.startswith("run_id:")), "unknown")
            )
        except NoPermissionError:
            self._is_run_probed = True
            self._see_run(_run_of_probe(_call(connection, *RUN_PROBE)))

    def _see_run(self, run: str) -> None:
        if self._run not in ("", run):
            logger.warning("Redis was restarted")
            self._distrust()
        if self._run != run:
            self._run_since = time.monotonic()
        self._run = run

    def _catch_up(self, commands: Callable[[], Sequence[Command]]) -> list[Any] | None:
        """Send what could not be sent before, then ask."""
        if self._pending:
            self._write_pending()
        if self._failures:
            failures, self._failures = self._failures, 0
            self._ask(lambda: [("INCRBY", self.key(FAILURE_COUNT), failures)])
        return self._ask(commands)

    def _ask(self, commands: Callable[[], Sequence[Command]]) -> list[Any] | None:
        if not self._run:
            self._unguarded.ping()
        run, sent = self._run, commands()
        replies = self._pipe(sent) if sent else []
        if any(isinstance(reply, redis.RedisError) for reply in replies):
            self._load_scripts(sent, replies)
        # Replies of the previous run are void.
        return replies if run == self._run else None

    def _load_scripts(self, commands: Sequence[Command], replies: list[Any]) -> None:
        """Replace the replies to scripts that Redis does not have; raise any other error among them."""
        unknown = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            if self._is_run_probed:
                self._see_run(_run_of_probe(self._pipe([RUN_PROBE])[0]))  # SCRIPT FLUSH has moved the table.
            self._pipe([("SCRIPT", "LOAD", source) for source in _script_sources.values()])
            for at, reply in zip(unknown, self._pipe([commands[at] for at in unknown]), strict=True):
                replies[at] = reply
        for reply in replies:
            if isinstance(reply, redis.RedisError):
                raise reply

    def _write_pending(self) -> None:
        while pending := self._live_pending():
            if self._ask(lambda batch=pending: self._set_commands(batch)) is None:  # type: ignore[misc]
                continue  # Another run of Redis: there the keys are others.
            with self._lock:
                self._pending = {name: value for name, value in self._pending.items() if pending.get(name) != value}

    def _set_commands(self, pending: Mapping[str, _PendingInvalidation]) -> list[Command]:
        values = _values({name: (value, seconds) for name, (value, seconds, _) in pending.items()})
        return [("SET", self.key(name), value, "EX", seconds) for name, (value, seconds) in values.items()]

    def _live_pending(self) -> dict[str, _PendingInvalidation]:
        if not self._pending:
            return {}
        with self._lock:
            now = time.monotonic()
            self._pending = {name: value for name, value in self._pending.items() if value[2] > now}
            return dict(self._pending)

    def _send_later(self) -> None:
        with self._lock:
            if self._sender is None or not self._sender.is_alive():
                self._sender = threading.Thread(target=self._retry_pending, name="redis-invalidations", daemon=True)
                self._sender.start()

    def _retry_pending(self) -> None:
        while self._pending:
            time.sleep(RETRY_SECONDS)
            try:
                self._write_pending()
            except redis.RedisError:
                self._distrust()

    def _record_failure(self, error: redis.RedisError) -> None:
        self._failures += 1
        self._distrust()
        logger.warning("Redis is not called for {} s: {} ({})", PAUSE_SECONDS, redis_fault(error), error)

    def _distrust(self) -> None:
        self._distrusted_until = time.monotonic() + UNTRUSTED_SECONDS


def _call(connection: AbstractConnection, *command: Any) -> bytes:
    connection.send_command(*command)  # type: ignore[no-untyped-call]
    return cast(bytes, connection.read_response())


def _circuit_open(fault: redis.RedisError) -> redis.RedisError:
    return CircuitOpen(fault)


def _run_of_probe(address: bytes) -> str:
    return sha1(address, usedforsecurity=False).hexdigest()[:12]


def _values(invalidations: Mapping[str, Invalidation]) -> dict[str, tuple[bytes, int]]:
    return {
        name: (secrets.token_bytes(GENERATION_BYTES) if value is None else value, seconds)
        for name, (value, seconds) in invalidations.items()
    }
