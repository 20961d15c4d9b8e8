"""R-LIMIT: sliding windows for tokens, people and addresses; said on every answer; without Redis counted in memory."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.extensions import limiter
from backend.http.operations import declared_operation
from backend.http.rate_limits import windows
from backend.http.rate_limits.charge import RateLimits
from config import RATE_LIMIT_CLASSES, Settings, load_settings
from tests.support.api import Api
from tests.support.factories import make_person, unreachable_gate
from tests.support.live import LiveServer, serving

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ROOMY = (1_000, 10_000, 100_000)
Limit = Callable[..., None]


def stay_within_a_minute() -> None:
    """Wait for the next minute if it is near: in memory, what the last one has counted then weighs a little less."""
    if (left := 60 - time.time() % 60) < 5:
        time.sleep(left)


@pytest.fixture
def limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Sets the limits of classes; the others get room for all that a test sends."""

    def set_limits(**classes: tuple[int, int, int]) -> None:
        limits = {name: classes.get(name, ROOMY) for name in RATE_LIMIT_CLASSES}
        monkeypatch.setitem(app.extensions, "rate_limits", RateLimits(limits))
        # What this process has counted in an earlier test.
        limiter.in_memory.storage.reset()

    return set_limits


def statuses(answers: list[TestResponse]) -> list[int]:
    return [answer.status_code for answer in answers]


def token(api: Api, name: str = "script") -> Api:
    made = api.post("/auth/tokens", {"name": name, "scopes": ["*:read", "*:write"]})
    assert made.status_code == 201
    return Api(api.app, token=made.json["token"])


@pytest.mark.parametrize("window", [0, 1, 2])
def test_as_many_pass_as_each_window_allows_and_no_more(ada: Api, limit: Limit, window: int) -> None:
    allowed = [100, 100, 100]
    allowed[window] = 3
    limit(list=tuple(allowed))
    assert statuses([ada.get("/bookmarks") for _ in range(5)]) == [200, 200, 200, 429, 429]


def test_a_refusal_says_when_to_come_back_and_is_a_problem(ada: Api, limit: Limit) -> None:
    limit(list=(1, 5, 5))
    began = time.monotonic()
    ada.get("/bookmarks")
    refused = ada.get("/bookmarks")
    took = time.monotonic() - began
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert refused.json["title"] == "Too Many Requests"
    assert 58 - took <= int(refused.headers["Retry-After"]) <= 61
    limit(list=(1, 1, 1))
    assert 85_000 < int(ada.get("/bookmarks").headers["Retry-After"]) <= 86_400 * 61 / 60


def test_what_is_refused_is_not_counted(ada: Api, limit: Limit) -> None:
    limit(list=(2, 10, 10))
    answers = [ada.get("/bookmarks") for _ in range(6)]
    assert statuses(answers) == [200, 200, 429, 429, 429, 429]
    assert [answer.headers["X-RateLimit-Remaining-3600s"] for answer in answers] == ["9", "8", "8", "8", "8", "8"]


def test_windows_slide(ada: Api, limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each request it is known between which moments it was counted: on a busy machine they are far apart."""
    monkeypatch.setattr(windows, "SECONDS", (1, 2, 60))
    limit(list=(3, 5, 100))
    passed: list[tuple[float, float]] = []
    refused: list[tuple[float, float]] = []
    end = time.monotonic() + 4.5
    while (sent := time.monotonic()) < end:
        status = ada.get("/bookmarks").status_code
        {200: passed, 429: refused}[status].append((sent, time.monotonic()))
        time.sleep(0.01)
    assert passed
    assert refused
    for start, _ in passed:
        for length, allowed in ((1, 3), (2, 5)):
            assert sum(start <= sent and answered <= start + length for sent, answered in passed) <= allowed
    # A request weighs on for a sixtieth of the window at most: room that is free is used.
    for start, end in refused:
        assert any(
            sum(sent <= end and answered > start - length * 61 / 60 for sent, answered in passed) >= allowed
            for length, allowed in ((1, 3), (2, 5))
        )


@pytest.mark.parametrize("away", [False, True], ids=["redis", "memory"])
def test_people_tokens_and_addresses_are_counted_apart(
    ada: Api, bob: Api, limit: Limit, app: Flask, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    script = token(make_person(app, "carol"))
    if away:
        monkeypatch.setitem(app.extensions, "resilient_redis", unreachable_gate())
    limit(list=(2, 10, 10), auth=(2, 10, 10))
    for api in (ada, bob, script):
        assert statuses([api.get("/bookmarks") for _ in range(3)]) == [200, 200, 429]
    # Whoever shows no token that could be one is counted by address.
    stranger = Api(app, token="eyJhbGciOiJIUzI1NiJ9.e30.forged")
    assert statuses([stranger.get("/bookmarks") for _ in range(3)]) == [401, 401, 429]
    for address in ("192.0.2.1", "192.0.2.2"):
        answers = [
            stranger.post("/auth/refresh", {"refresh_token": "x"}, environ_base={"REMOTE_ADDR": address})
            for _ in range(3)
        ]
        assert statuses(answers) == [401, 401, 429]


@pytest.mark.parametrize("away", [False, True], ids=["redis", "memory"])
def test_many_tokens_of_one_person_share_their_windows(
    ada: Api, bob: Api, limit: Limit, app: Flask, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    scripts = [token(ada, f"script {number}") for number in range(8)]
    others = token(bob)
    if away:
        monkeypatch.setitem(app.extensions, "resilient_redis", unreachable_gate())
        stay_within_a_minute()
    limit(list=(5, 50, 50))
    answers = [script.get("/bookmarks") for script in [*scripts, *scripts]]
    assert statuses(answers) == [200] * 5 + [429] * 11
    assert [answer.headers["X-RateLimit-Remaining-60s"] for answer in answers[:6]] == ["4", "3", "2", "1", "0", "0"]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert ada.get("/bookmarks").status_code == 429
    assert others.get("/bookmarks").status_code == 200


def test_what_the_persons_windows_refuse_is_counted_for_neither(ada: Api, limit: Limit) -> None:
    script = token(ada)
    limit(list=(3, 50, 50))
    assert script.get("/bookmarks").headers["X-RateLimit-Remaining-60s"] == "2"
    assert statuses([ada.get("/bookmarks") for _ in range(2)]) == [200, 200]
    assert statuses([script.get("/bookmarks") for _ in range(20)]) == [429] * 20
    redis = ada.app.extensions["resilient_redis"].client
    keys = [key for key in redis.keys("*limit:list:*") if not key.endswith(b":slots")]
    totals = {key.split(b":list:")[1].split(b":")[0]: struct.unpack(">9d", redis.get(key))[0] for key in keys}
    assert totals == {b"token": 1, b"user": 3}


def test_of_the_tokens_windows_and_the_persons_the_tighter_is_told(ada: Api, limit: Limit) -> None:
    first, second = token(ada), token(ada, "other")
    limit(list=(10, 50, 50))
    for _ in range(3):
        first.get("/bookmarks")
    assert second.get("/bookmarks").headers["X-RateLimit-Remaining-60s"] == "6"
    assert first.get("/bookmarks").headers["RateLimit"].startswith('"60s";r=5')


def test_an_item_of_many_counts_for_the_token_and_its_person(ada: Api, limit: Limit) -> None:
    scripts = [token(ada, f"script {number}") for number in range(2)]
    limit(write=(10, 100, 100))
    items = [{"url": f"https://example.org/{at}", "capture": False} for at in range(250)]
    lefts = [
        script.post("/bookmarks/bulk", {"items": items}).headers["X-RateLimit-Remaining-60s"] for script in scripts
    ]
    assert lefts == ["5", "0"]
    refused = scripts[0].post("/bookmarks/bulk", {"items": items})
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining-60s"]) == (429, "0")


def test_counting_the_person_takes_no_round_trip_of_its_own(
    ada: Api, limit: Limit, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit()
    script = token(ada)
    script.get("/bookmarks")
    asked = []
    gate = app.extensions["resilient_redis"]
    pipe = gate._pipe
    monkeypatch.setattr(gate, "_pipe", lambda commands: asked.append(commands) or pipe(commands))
    assert script.get("/bookmarks").status_code == 200
    assert len(asked) == 1


def test_a_forged_forwarding_header_changes_nothing(ada: Api, limit: Limit) -> None:
    limit(auth=(2, 10, 10))
    answers = [
        Api(ada.app).post("/auth/refresh", {"refresh_token": "x"}, headers={"X-Forwarded-For": f"192.0.2.{number}"})
        for number in range(4)
    ]
    assert statuses(answers) == [401, 401, 429, 429]


def test_classes_are_counted_apart(ada: Api, limit: Limit) -> None:
    limit(list=(1, 10, 10), read=(1, 10, 10), write=(1, 10, 10))
    saved = ada.save("https://example.org/")
    assert ada.get("/bookmarks").status_code == 200
    assert ada.get(f"/bookmarks/{saved['id']}").status_code == 200
    assert ada.get("/bookmarks").status_code == 429
    assert ada.get(f"/bookmarks/{saved['id']}").status_code == 429
    assert ada.patch(f"/bookmarks/{saved['id']}", {"title": "new"}).status_code == 429


def test_many_items_count_as_many_requests(ada: Api, limit: Limit) -> None:
    def bulk(number: int) -> TestResponse:
        return ada.post(
            "/bookmarks/bulk",
            {"items": [{"url": f"https://example.org/{at}", "capture": False} for at in range(number)]},
        )

    limit(write=(10, 100, 100))
    for number, left in ((50, "9"), (51, "7"), (250, "2")):
        answer = bulk(number)
        assert (answer.status_code, answer.headers["X-RateLimit-Remaining-60s"]) == (200, left)
    refused = bulk(150)
    assert (refused.status_code, refused.headers["X-RateLimit-Remaining-60s"]) == (429, "2")
    assert bulk(100).status_code == 200
    # What costs more than a whole window passes when the window is empty.
    limit(write=(3, 3, 3))
    ada.app.extensions["resilient_redis"].client.flushall()
    assert bulk(1000).status_code == 200


def test_an_office_behind_one_address_logs_in(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the table as it is: more than a hundred people, within the same minute."""
    monkeypatch.setitem(ada.app.extensions, "rate_limits", RateLimits(Settings(_env_file=None).rate_limits))
    people = [make_person(ada.app) for _ in range(120)]
    for person in people:
        refreshed = Api(ada.app).post("/auth/refresh", {"refresh_token": person.session["refresh_token"]})
        assert refreshed.status_code == 200


def test_every_answer_says_what_is_left(ada: Api, limit: Limit) -> None:
    limit()
    saved = ada.save("https://example.org/")
    tag = ada.get(f"/bookmarks/{saved['id']}").headers["ETag"]
    answers = {
        "200": ada.get("/bookmarks"),
        "304": ada.request("GET", f"/bookmarks/{saved['id']}", headers={"If-None-Match": tag}),
        "401": Api(ada.app).get("/bookmarks"),
        "404": ada.get("/bookmarks/12345"),
        "404, no route": ada.get("/nothing"),
        "405": ada.request("PUT", "/bookmarks"),
        "413": ada.request("POST", "/bookmarks", data=b" " * (1 << 21), content_type="application/json"),
        "415": ada.request("POST", "/bookmarks", data=b"x", content_type="text/plain"),
        "422": ada.get("/bookmarks", nonsense="1"),
    }
    for status, answer in answers.items():
        assert answer.status_code == int(status[:3])
        assert_headers(answer)


def assert_headers(answer: TestResponse) -> None:
    for seconds in (60, 3600, 86400):
        limit, left = (int(answer.headers[f"X-RateLimit-{what}-{seconds}s"]) for what in ("Limit", "Remaining"))
        assert 0 <= left <= limit
        assert f'"{seconds}s";q={limit};w={seconds}' in answer.headers["RateLimit-Policy"]
        assert f'"{seconds}s";r={left}' in answer.headers["RateLimit"]


def test_every_route_has_a_class_with_limits_or_is_exempt(app: Flask, limit: Limit) -> None:
    limit()
    exempt = set()
    for rule in app.url_map.iter_rules():
        operation = declared_operation(app, rule.endpoint)
        assert operation is not None, rule.rule
        if operation.limit == "exempt":
            exempt.add(rule.rule)
            continue
        assert operation.limit in RATE_LIMIT_CLASSES, rule.rule
        path = re.sub(r"<uuid:\w+>", "00000000-0000-0000-0000-000000000000", rule.rule)
        method = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})[0]
        assert_headers(Api(app).request(method, re.sub(r"<[\w:]+>", "1", path)))
    assert exempt
    # Neither probes nor scrapes wait for a Redis that hangs.
    assert all(path.startswith(("/api/health", "/linkding/health", "/metrics")) for path in exempt)


def test_counting_moves_to_memory_and_back(ada: Api, app: Flask, limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(list=(3, 10, 10))
    assert ada.get("/bookmarks").headers["X-RateLimit-Remaining-60s"] == "2"
    with monkeypatch.context() as patch:
        patch.setitem(app.extensions, "resilient_redis", unreachable_gate())
        assert statuses([ada.get("/bookmarks") for _ in range(4)]) == [200, 200, 200, 429]
        refused = ada.get("/bookmarks")
        assert int(refused.headers["Retry-After"]) >= 1
        assert_headers(refused)
        assert app.extensions["rate_limits"].is_alone
    assert ada.get("/bookmarks").headers["X-RateLimit-Remaining-60s"] == "1"
    assert not app.extensions["rate_limits"].is_alone


def test_the_table_of_classes_follows_the_settings(settings: Settings) -> None:
    given: dict[str, Any] = {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL, "_env_file": None}
    usual = load_settings(**given, ENABLE_RATE_LIMITING=True).rate_limits
    assert usual["list"] == (60, 1000, 10000)
    assert usual["read"] == (120, 1000, 10000)
    assert usual["write"] == (30, 1000, 10000)
    assert usual["import"] == (10, 1000, 10000)
    assert usual["llm"] == (10, 100, 10000)
    assert usual["recommendations"] == (20, 200, 10000)
    more = load_settings(
        **given, ENABLE_RATE_LIMITING=True, RATE_LIMIT_PER_MINUTE=600, RATE_LIMIT_PER_HOUR=10
    ).rate_limits
    assert more["write"] == (300, 10, 10000)
    assert more["llm"] == (100, 1, 10000)
    assert load_settings(**given | {"ENABLE_RATE_LIMITING": False}).rate_limits == {}


@contextmanager
def four_processes(settings: Settings, directory: Path, **more: str) -> Iterator[LiveServer]:
    environment = {
        "ENVIRONMENT": "production",
        "FRONTEND_URL": "https://app.example.org",
        "SECRET_KEY": settings.SECRET_KEY.get_secret_value(),
        "JWT_SECRET_KEY": settings.JWT_SECRET_KEY.get_secret_value(),
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(settings.FUZE_DATA_DIR),
        "EMBEDDING_PROVIDER": "none",
        "WEB_CONCURRENCY": "4",
        **more,
    }
    with serving(directory, environment) as server:
        yield server


WINDOWS: list[tuple[dict[str, str], int]] = [
    ({"RATE_LIMIT_PER_MINUTE": "40"}, 40),
    ({"RATE_LIMIT_PER_MINUTE": "1000", "RATE_LIMIT_PER_HOUR": "40"}, 40),
    ({"RATE_LIMIT_PER_MINUTE": "1000", "RATE_LIMIT_PER_DAY": "40"}, 40),
]


@pytest.mark.processes
@pytest.mark.parametrize(("given", "allowed"), WINDOWS, ids=["minute", "hour", "day"])
def test_exactly_as_many_pass_of_fifty_clients_at_four_processes(
    ada: Api, bob: Api, settings: Settings, tmp_path: Path, given: dict[str, str], allowed: int
) -> None:
    script = token(bob)
    with four_processes(settings, tmp_path, **given) as server, ThreadPoolExecutor(50) as pool:

        def burst(*arguments: Any, **headers: str) -> list[int]:
            tries = [pool.submit(server.send, *arguments, **headers) for _ in range(2 * allowed)]
            return [one.result().status for one in tries]

        for bearer in (ada.token, script.token):
            found = burst("GET", "/api/v1/bookmarks", None, bearer)
            assert (found.count(200), found.count(429)) == (allowed, allowed)
        found = burst("GET", "/api/v1/bookmarks", None, None, X_Forwarded_For="192.0.2.9")
        assert (found.count(401), found.count(429)) == (allowed, allowed)
