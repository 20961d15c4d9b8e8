"""Classes of routes are declared to Flask-Limiter: its commands, exemptions, strategy and fallback are ours."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from flask_limiter import ExemptionScope
from flask_limiter.commands import cli
from limits import parse
from limits.errors import StorageError
from limits.storage import SCHEMES
from limits.strategies import STRATEGIES

from backend.extensions import limiter
from backend.http.operations import declared_operation
from backend.http.rate_limits.charge import RateLimits
from backend.http.rate_limits.item import WindowsItem
from backend.http.rate_limits.storage import ResilientRedisStorage
from config import RATE_LIMIT_CLASSES, Settings
from tests.support.api import Api
from tests.support.factories import unreachable_gate

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ROOT = Path(__file__).parents[3]
LIMITS = {name: (10 + number, 100 + number, 1_000 + number) for number, name in enumerate(RATE_LIMIT_CLASSES)}


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, each class with limits of its own."""
    monkeypatch.setitem(app.extensions, "rate_limits", RateLimits(LIMITS))
    limiter.in_memory.storage.reset()
    return app


def run(app: Flask, *arguments: str) -> str:
    outcome = CliRunner().invoke(cli, arguments, obj=ScriptInfo(create_app=lambda: app), env={"COLUMNS": "200"})
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def test_flask_limiter_knows_each_route_by_the_limits_of_its_class_alone(limited: Flask) -> None:
    manager = limiter.limit_manager
    with limited.test_request_context():
        for rule in limited.url_map.iter_rules():
            operation = declared_operation(limited, rule.endpoint)
            assert operation is not None
            blueprint = rule.endpoint.rpartition(".")[0]
            defaults, declared = manager.resolve_limits(limited, rule.endpoint, blueprint)
            exempt = manager.exemption_scope(limited, rule.endpoint, blueprint)
            assert defaults == []
            assert bool(exempt & ExemptionScope.DEFAULT) == (operation.limit == "exempt")
            limits = [(limit.scope, limit.limit) for limit in declared]
            assert limits == [(name, WindowsItem(LIMITS[name])) for name in (operation.limit,) if name != "exempt"], (
                rule.rule
            )


def test_the_command_lists_each_route_with_the_limits_of_its_class(limited: Flask) -> None:
    lines = [re.sub(r"^[│├└─\s]+", "", line) for line in run(limited, "limits").splitlines()]
    listed = dict(pairwise(lines))
    for rule in limited.url_map.iter_rules():
        operation = declared_operation(limited, rule.endpoint)
        assert operation is not None
        if operation.limit == "exempt":
            expected = "Exempt"
        else:
            minute, hour, day = LIMITS[operation.limit]
            expected = f"{minute} per 1 minute, {hour} per 1 hour, {day} per 1 day"
        assert listed[f"{rule.endpoint}: {rule}"] == expected


def test_the_commands_show_and_clear_what_a_person_has_left(limited: Flask, ada: Api) -> None:
    assert ada.get("/bookmarks").headers["X-RateLimit-Remaining-60s"] == str(LIMITS["list"][0] - 1)
    for _ in range(LIMITS["list"][0] - 1):
        ada.get("/bookmarks")
    assert ada.get("/bookmarks").status_code == 429
    path = ("--path", "/api/v1/bookmarks", "--method", "GET", "--key", f"user:{ada.user_id}")
    assert f"Fail (0 out of {LIMITS['list'][0]} remaining)" in run(limited, "limits", *path)
    assert "Cleared" in run(limited, "clear", "-y", *path)
    assert f"Pass ({LIMITS['list'][0]} out of {LIMITS['list'][0]} remaining)" in run(limited, "limits", *path)
    assert ada.get("/bookmarks").status_code == 200


def test_the_configuration_is_shown(limited: Flask) -> None:
    shown = run(limited, "config")
    for expected in ("ResilientRedisStorage", "WindowsInRedis", "resilient-redis://", "OK", "limited_subject"):
        assert expected in shown


def test_the_commands_are_those_of_the_operator_too(settings: Settings) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(settings.FUZE_DATA_DIR),
        "COLUMNS": "200",
    }
    for command in (["-m", "flask", "--app", "wsgi"], ["-m", "backend"]):
        told = subprocess.run(
            [sys.executable, *command, "limiter", "limits", "--path", "/api/v1/bookmarks", "--method", "POST"],
            capture_output=True,
            text=True,
            env=environment,
            cwd=ROOT,
            timeout=120,
            check=True,
        )
        assert "bookmarks.create_bookmark" in told.stdout
        assert "30 per 1 minute, 1000 per 1 hour, 10000 per 1 day" in told.stdout


def test_strategy_and_storage_are_registered_by_name(app: Flask) -> None:
    assert type(STRATEGIES["sliding-windows"](limiter.storage)) is type(limiter.in_redis)
    assert SCHEMES["resilient-redis"] is ResilientRedisStorage
    assert app.extensions["limiter"] == {limiter}


def test_the_strategy_counts_requests_that_no_pipeline_has_admitted(limited: Flask) -> None:
    item = WindowsItem((3, 100, 1_000))
    with limited.app_context():
        for strategy in (limiter.in_redis, limiter.in_memory):
            assert [strategy.hit(item, "user:9", "list") for _ in range(4)] == [True, True, True, False]
            assert not strategy.test(item, "user:9", "list")
            assert strategy.test(item, "user:10", "list", cost=3)
            assert not strategy.test(item, "user:10", "list", cost=4)
            assert strategy.get_window_stats(item, "user:9", "list").remaining == 0
            assert strategy.get_window_stats(item, "user:10", "list").remaining == 3


def test_a_single_window_is_refused_by_the_strategy(limited: Flask) -> None:
    with limited.app_context(), pytest.raises(TypeError, match="together"):
        limiter.in_redis.hit(parse("5 per minute"), "user:9", "list")


def test_the_storage_counts_fixed_windows_too(limited: Flask) -> None:
    storage = limiter.storage
    with limited.app_context():
        assert [storage.incr("fixed", 60), storage.incr("fixed", 60, 3), storage.get("fixed")] == [1, 4, 4]
        assert 0 < storage.get_expiry("fixed") - time.time() <= 60
        storage.clear("fixed")
        assert storage.get("fixed") == 0


def test_resetting_the_storage_forgets_all_counts(limited: Flask, ada: Api) -> None:
    ada.get("/bookmarks")
    with limited.app_context():
        limiter.reset()
    assert ada.get("/bookmarks").headers["X-RateLimit-Remaining-60s"] == str(LIMITS["list"][0] - 1)


def test_without_redis_the_storage_says_so(limited: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limited.extensions, "resilient_redis", unreachable_gate())
    with limited.app_context():
        assert not limiter.storage.check()
        with pytest.raises(StorageError):
            limiter.in_redis.hit(WindowsItem((3, 100, 1_000)), "user:9", "list")


def test_two_items_are_the_same_if_all_their_limits_are() -> None:
    assert WindowsItem((1, 2, 3)) == WindowsItem((1, 2, 3))
    assert len({WindowsItem((1, 2, 3)), WindowsItem((1, 2, 3)), WindowsItem((1, 2, 4))}) == 2
    assert parse("1 per day").get_expiry() == 86_400
