"""Flask-Caching on our backend: computed values as JSON or bytes, by generation, and uncached without Redis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from backend.extensions import cache
from backend.http.response_cache.computed import invalidate_computed, per_organization
from backend.http.response_cache.flask_caching_backend import LONGEST_SECONDS, CacheBackend
from backend.http.response_cache.invalidation import invalidate, invalidate_everything, invalidate_lists
from backend.redis.client import redis_client
from tests.support.api import Api
from tests.support.factories import unreachable_gate
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]

CALLS: list[tuple[object, ...]] = []


@pytest.fixture(autouse=True)
def calls() -> list[tuple[object, ...]]:
    """What the cached functions of this file have been called with."""
    CALLS.clear()
    return CALLS


@cache.memoize(timeout=60)
def memoized(*arguments: object) -> Any:
    CALLS.append(arguments)
    return {"called": len(CALLS)}


@cache.cached(timeout=60, make_cache_key=per_organization("tests", "votes"))
def of_organization(organization_id: int, word: str) -> Any:
    CALLS.append((organization_id, word))
    return [len(CALLS), word]


def test_the_backend_is_ours(context: Flask) -> None:
    assert type(cache.cache) is CacheBackend
    assert cache.cache.default_timeout == context.extensions["settings"].CACHE_DEFAULT_TTL == 300


def test_a_memoized_function_is_called_once_for_its_arguments(context: Flask) -> None:
    assert [memoized(1, "a"), memoized(1, "a"), memoized(2, "a"), memoized(1, "a")] == [
        {"called": 1},
        {"called": 1},
        {"called": 2},
        {"called": 1},
    ]
    memoized.delete_memoized()
    assert memoized(1, "a") == {"called": 3}
    cache.delete_memoized(memoized, 1, "a")
    assert memoized(1, "a") == {"called": 4}


@pytest.mark.parametrize("value", [b"\x00j\xff", b"", "text", 0, 1.5, True, ["a", {"b": None}], {}], ids=repr)
def test_bytes_and_json_come_back_as_they_are(context: Flask, value: object) -> None:
    assert cache.set("key", value)
    assert cache.get("key") == value
    assert type(cache.get("key")) is type(value)
    assert cache.get_many("key", "other") == [value, None]


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, datetime(2026, 1, 1, tzinfo=UTC), Exception()], ids=lambda v: type(v).__name__
)
def test_what_json_does_not_hold_exactly_is_refused_and_not_pickled(context: Flask, value: object) -> None:
    with pytest.raises(TypeError):
        cache.set("key", value)
    assert not cache.has("key")


def test_values_expire(context: Flask) -> None:
    client = redis_client()
    for timeout, seconds in (
        (7, 7),
        (None, 300),
        (0, LONGEST_SECONDS),
        (10**9, LONGEST_SECONDS),
        (timedelta(minutes=1), 60),
    ):
        cache.set("key", 1, timeout=timeout)
        (name,) = client.keys("*computed:key")
        assert seconds - 5 <= client.ttl(name) <= seconds


def test_values_are_added_found_and_deleted(context: Flask) -> None:
    assert cache.add("key", 1)
    assert not cache.add("key", 2)
    assert (cache.get("key"), cache.has("key"), cache.has("other")) == (1, True, False)
    assert cache.set_many({"a": 1, "b": b"2"}) == ["a", "b"]
    assert cache.delete_many("a", "b", "c") == ["a", "b"]
    assert (cache.delete("key"), cache.delete("key")) == (True, False)
    cache.set("key", 1)
    assert cache.clear()
    assert not cache.has("key")


Change = Callable[[], None]
CHANGES: dict[str, tuple[Change, bool]] = {
    "its lists": (lambda: invalidate_lists(1), True),
    "all it has": (lambda: invalidate([1]), True),
    "what else the value depends on": (lambda: invalidate_computed(1, "votes"), True),
    "everything": (invalidate_everything, True),
    "another organization": (lambda: invalidate([2]), False),
    "another subject": (lambda: invalidate_computed(1, "other"), False),
}


@pytest.mark.parametrize(("change", "is_invalid"), CHANGES.values(), ids=CHANGES)
def test_a_value_is_valid_for_one_generation_of_its_organization(
    context: Flask, change: Change, is_invalid: bool
) -> None:
    assert [of_organization(1, "a"), of_organization(1, "a")] == [[1, "a"]] * 2
    change()
    assert of_organization(1, "a") == ([2, "a"] if is_invalid else [1, "a"])


def test_a_value_computed_before_a_change_is_not_read_after_it(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(list[Any]):
        def append(self, item: Any) -> None:
            super().append(item)
            if len(self) == 1:
                invalidate_lists(1)

    monkeypatch.setitem(of_organization.uncached.__globals__, "CALLS", Slow())
    assert of_organization(1, "a") == [1, "a"]
    assert of_organization(1, "a") == [2, "a"]


def test_organizations_do_not_share_values(context: Flask) -> None:
    assert [of_organization(1, "a"), of_organization(2, "a"), of_organization(1, "b")] == [[1, "a"], [2, "a"], [3, "b"]]


def test_without_redis_every_value_is_computed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        of_organization(1, "a")
        monkeypatch.setitem(app.extensions, "resilient_redis", unreachable_gate())
        assert [of_organization(1, "a"), of_organization(1, "a"), memoized(1), memoized(1)] == [
            [2, "a"],
            [3, "a"],
            {"called": 4},
            {"called": 5},
        ]
        assert (cache.get("key"), cache.get_many("key"), cache.has("key"), cache.clear()) == (
            None,
            [None],
            False,
            False,
        )
        assert (cache.set("key", 1), cache.add("key", 1), cache.delete("key")) == (False, False, False)
        assert (cache.set_many({"key": 1}), cache.delete_many("key")) == ([], [])


def test_values_may_be_switched_off(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = app.extensions["settings"]
    monkeypatch.setitem(app.extensions, "settings", settings.model_copy(update={"ENABLE_CACHING": False}))
    with app.app_context():
        assert [of_organization(1, "a"), of_organization(1, "a")] == [[1, "a"], [2, "a"]]


def test_hits_and_misses_are_counted(context: Flask, person: Callable[..., Api]) -> None:
    admin = person("root", admin=True)
    for _ in range(3):
        of_organization(1, "a")
    counted = admin.get("/cache/stats").json["namespaces"]["computed"]
    assert (counted["hits"], counted["misses"]) == (2, 1)


def test_engines_are_computed_once_until_something_changes(ada: Api, bob: Api, sql: SqlCounter) -> None:
    path = "/recommendations/engines"
    before = ada.get(path).json
    sql.clear()
    assert ada.get(path).json == before
    assert not [statement for statement in sql.statements if "has_forgotten" in statement]
    ada.save("https://example.org/")
    assert ada.get(path).json != before
    assert bob.get(path).json == before
