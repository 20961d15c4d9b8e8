"""Metrics of a whole stack: exact over its processes, scraped by a real Prometheus, whose alerts fire."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from backend.local_stack.processes import spawn, terminate
from tests.metrics.test_monitoring import MONITORING, NAME, SUFFIXES, expressions
from tests.support.metrics import Scrape
from tests.support.processes import eventually, foreign_environment, free_port
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.integration, pytest.mark.processes]
PROCESSES, REQUESTS, CONNECTIONS = 4, 1_000, 40
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not here: apt-get install prometheus"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """A stack with four web processes."""
    options = ("--workers", str(PROCESSES))
    with (
        tempfile.TemporaryDirectory(prefix="fuze-metrics-") as path,
        RunningStack(Path(path, "var"), *options, ENABLE_RATE_LIMITING="false") as running,
    ):
        yield running.wait_ready()


def scraped(stack: RunningStack) -> Scrape:
    status, _, body = stack.get("/metrics")
    assert status == 200
    return Scrape(body.decode())


def ask(stack: RunningStack, times: int) -> None:
    """Send so many requests over one connection."""
    with httpx.Client(base_url=stack.url, trust_env=False) as client:
        assert {client.get("/api/v1/tags").status_code for _ in range(times)} == {401}


def web_processes(stack: RunningStack) -> list[psutil.Process]:
    master = stack.child("gunicorn")
    assert master
    return psutil.Process(master).children()


def test_counters_are_exact_over_processes_and_when_one_is_killed(stack: RunningStack) -> None:
    before, labels = scraped(stack), {"route": "/api/v1/tags", "status": 401}
    assert eventually(lambda: scraped(stack).value("fuze_scheduler_last_pass_timestamp_seconds") > 0)
    name = "fuze_http_request_duration_seconds_count"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ask(stack, REQUESTS // CONNECTIONS), range(CONNECTIONS)))
    counted = scraped(stack)
    assert counted.value(name, **labels) - before.value(name, **labels) == REQUESTS
    assert counted.value("fuze_processes") >= PROCESSES

    victim = web_processes(stack)[0]
    victim.kill()
    assert eventually(lambda: victim.pid not in {process.pid for process in web_processes(stack)})
    assert eventually(lambda: len(web_processes(stack)) == PROCESSES)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ask(stack, 5), range(CONNECTIONS)))
    after = scraped(stack)
    assert after.value(name, **labels) - before.value(name, **labels) == REQUESTS + 5 * CONNECTIONS
    files = list((stack.data_dir / "metrics").iterdir())
    assert len(files) <= PROCESSES + len(stack.family())


@contextmanager
def prometheus(stack: RunningStack, directory: Path) -> Iterator[httpx.Client]:
    """A Prometheus that scrapes the stack each second; its alerts fire at once."""
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["for"] = "0s"
    settings = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    [job] = settings["scrape_configs"]
    del job["authorization"]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{stack.port}"]}]
    (directory / "alerts.yml").write_text(yaml.safe_dump(rules))
    (directory / "prometheus.yml").write_text(yaml.safe_dump(settings))
    address = f"127.0.0.1:{free_port()}"
    files = (f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data")
    with (directory / "log").open("wb") as log:
        process = spawn(
            ["prometheus", *files, f"--web.listen-address={address}"], env=foreign_environment(), output=log
        )
    try:
        with httpx.Client(base_url=f"http://{address}/api/v1", trust_env=False) as client:
            yield client
    finally:
        terminate(process, signal.SIGTERM, 10)


def answered(client: httpx.Client, path: str, **query: str) -> Any:
    try:
        return client.get(path, params=query).json()["data"]
    except (httpx.HTTPError, json.JSONDecodeError, KeyError):
        return {}


def firing(client: httpx.Client) -> set[str]:
    alerts = answered(client, "/alerts").get("alerts", [])
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Processes that hang for a while."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@needs_prometheus
def test_prometheus_scrapes_the_stack_and_its_alerts_fire(stack: RunningStack, tmp_path: Path) -> None:
    redis, worker = stack.child("redis"), stack.child("backend worker")
    assert redis
    assert worker
    assert eventually(lambda: scraped(stack).value("fuze_workers", lane="mail") == 1)
    with prometheus(stack, tmp_path) as client:
        assert eventually(lambda: answered(client, "/query", query="up == 1 and fuze_redis_up == 1").get("result")), (
            tmp_path / "log"
        ).read_text()
        told = {found["metric"] for found in answered(client, "/targets/metadata")}
        for name in {name for expression in expressions() for name in NAME.findall(expression)}:
            assert name in told or re.sub(f"({'|'.join(SUFFIXES)})$", "", name) in told, name
        assert not firing(client) - {"FuzeSchedulerSilent"}

        with stopped(redis):
            assert eventually(lambda: "FuzeCacheDown" in firing(client))
            assert json.loads(stack.get("/api/health")[2])["checks"]["redis"]["status"] == "unhealthy"
        assert eventually(lambda: "FuzeCacheDown" not in firing(client))
        # Its supervisor does not see that the worker has ended.
        with stopped(stack.process.pid):
            os.kill(worker, signal.SIGTERM)
            assert eventually(lambda: "FuzeWorkerSilent" in firing(client))
