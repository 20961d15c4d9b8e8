"""Whether anybody ever reads what was true before a write: `python -m benchmarks.staleness [--pairs N] [--lanes N] …`.

Pairs of a write and a read: a bookmark is written through one gunicorn process and at once read back, alone and in a
list, through all others, while a crowd reads the same addresses without a pause, so that whatever is kept of an answer
is stored again at the worst of moments. All the while Redis is stopped for seconds, killed and brought back, and
emptied. Told are stale answers, unexpected statuses and broken connections; each fails.

`tests/resilience/test_cache_under_fire.py` does the same with fewer pairs.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing

import psutil
import redis
from redis.exceptions import RedisError

from benchmarks.pairs import Connection, Findings, Lane, spread
from benchmarks.stack import RAISED_LIMITS, SessionAuth, new_person, running_stack

SETTINGS = {"EMBEDDING_PROVIDER": "none", "ACCESS_TOKEN_MINUTES": "1440", "LOG_LEVEL": "WARNING", **RAISED_LIMITS}
PAUSE_SECONDS = 3.0
BACK_SECONDS = 90.0
LOOK_SECONDS = 0.1
MOST_TOLD = 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--lanes", type=int, default=4, help="people who write and read back at the same time")
    parser.add_argument("--processes", type=int, default=4, help="gunicorn processes")
    parser.add_argument("--breath", type=float, default=5, help="seconds of peace after each thing done to Redis")
    options = parser.parse_args()

    workers = ("--workers", str(options.processes), "--rq-workers", "1")
    with running_stack(*workers, **SETTINGS) as stack:
        tokens = [_new_token(stack.url) for _ in range(options.lanes)]
        started = time.monotonic()
        redis_url = stack.addresses()["REDIS_URL"]
        findings = under_fire(stack.url, tokens, redis_url, options.pairs, options.processes, options.breath)
        seconds = time.monotonic() - started
    print(f"{findings.pairs} pairs and {findings.reads} other reads in {seconds:.0f} s, ", end="")
    print(f"over {len(findings.processes)} processes")
    lines = list(verdicts(findings, options.pairs))
    print("\n".join(lines))
    sys.exit(any(line.startswith("FAIL") for line in lines))


def under_fire(url: str, tokens: Sequence[str], redis_url: str, pairs: int, processes: int, breath: float) -> Findings:
    """Let a lane and a crowd run for each token, and do to Redis all that is done to it, until there are enough pairs.

    Everything is done to Redis at least once. Ends early if every lane has ended with a fault.
    """
    with ExitStack() as opened:
        lanes = [Lane(opened.enter_context(spread(url, token, processes))) for token in tokens]
        stop = threading.Event()
        crowd = Crowd(stop)
        for lane, token in zip(lanes, tokens, strict=True):
            crowd.follow(lane, opened.enter_context(spread(url, token, processes)))
        writers = [threading.Thread(target=lane.write_and_read, args=(stop,)) for lane in lanes]
        for thread in (*writers, *crowd.threads):
            thread.start()
        try:
            do_everything(redis_url, breath, lambda: _enough(lanes, writers, pairs))
        finally:
            stop.set()
            for thread in (*writers, *crowd.threads):
                thread.join()
    whole = Findings()
    for findings in (*(lane.findings for lane in lanes), *crowd.findings):
        whole.add(findings)
    return whole


class Crowd:
    """Threads that read what the lanes write, each over a connection of its own."""

    def __init__(self, stop: threading.Event) -> None:
        self.threads: list[threading.Thread] = []
        self.findings: list[Findings] = []
        self._stop = stop

    def follow(self, lane: Lane, connections: Sequence[Connection]) -> None:
        """Add readers of a lane, one for each connection."""
        for connection in connections:
            findings = Findings(processes={connection.process})
            self.findings.append(findings)
            arguments = (connection, findings, self._stop)
            self.threads.append(threading.Thread(target=lane.watch, args=arguments))


def do_everything(redis_url: str, breath: float, enough: Callable[[], bool]) -> None:
    """Pause Redis, kill it, kill it after a pause, empty it; again and again until it is enough, once at least."""
    while True:
        for incident in (pause, kill, pause_and_kill, empty):
            time.sleep(breath)
            incident(redis_url)
        time.sleep(breath)
        if enough():
            return


def pause(redis_url: str) -> None:
    """It answers nobody for a while, and then everybody, also those who have gone."""
    server = _server(redis_url)
    server.send_signal(signal.SIGSTOP)
    try:
        time.sleep(PAUSE_SECONDS)
    finally:
        server.send_signal(signal.SIGCONT)


def kill(redis_url: str) -> None:
    """It dies, and comes back with what it had written down: maybe not the last second."""
    _server(redis_url).kill()
    _wait_until_back(redis_url)


def pause_and_kill(redis_url: str) -> None:
    """It answers nobody for a while and dies: what it was told meanwhile is lost, what it knew before comes back."""
    server = _server(redis_url)
    server.send_signal(signal.SIGSTOP)
    time.sleep(PAUSE_SECONDS)
    server.kill()
    _wait_until_back(redis_url)


def empty(redis_url: str) -> None:
    """It forgets everything, counters of generations among it."""
    with closing(redis.Redis.from_url(redis_url)) as client:
        client.flushall()


def verdicts(findings: Findings, pairs: int) -> Iterator[str]:
    """PASS or FAIL for each promise, and the first of what was wrong."""
    yield _verdict(findings.pairs >= pairs, f"{findings.pairs} pairs, wanted {pairs}")
    yield _verdict(not findings.stale, f"{len(findings.stale)} stale answers")
    yield from (f"      {line}" for line in findings.stale[:MOST_TOLD])
    yield _verdict(not findings.faults, f"{sum(findings.faults.values())} faults {dict(findings.faults) or ''}".strip())


def _new_token(url: str) -> str:
    with closing(new_person(url)) as client:
        assert isinstance(client.auth, SessionAuth)
        client.get("profile").raise_for_status()
        return client.auth.access_token


def _enough(lanes: Sequence[Lane], writers: Sequence[threading.Thread], pairs: int) -> bool:
    done = sum(lane.findings.pairs for lane in lanes)
    print(f"  {done} pairs", flush=True)
    return done >= pairs or not any(thread.is_alive() for thread in writers)


def _server(redis_url: str) -> psutil.Process:
    with closing(redis.Redis.from_url(redis_url)) as client:
        return psutil.Process(client.info("server")["process_id"])


def _wait_until_back(redis_url: str) -> None:
    deadline = time.monotonic() + BACK_SECONDS
    with closing(redis.Redis.from_url(redis_url, socket_timeout=1)) as client:
        while time.monotonic() < deadline:
            try:
                client.ping()
                return
            except RedisError:
                time.sleep(LOOK_SECONDS)
    raise RuntimeError(f"Redis did not come back within {BACK_SECONDS:.0f} s")


def _verdict(holds: bool, claim: str) -> str:
    return f"{'PASS' if holds else 'FAIL'}  {claim}"


if __name__ == "__main__":
    main()
