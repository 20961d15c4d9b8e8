"""Many filters cost little: how many there may be, and what PostgreSQL makes of them, by its plans."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backend.bookmarks.schemas import MAX_FILTERS
from backend.bookmarks.statistics_refresh import refresh_statistics
from backend.extensions import db
from config import Settings
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
LONGEST = 1_000
# Of a query with 50 filters that all need a look-up of their own: twice, for the page and for the number of all.
MOST_NODES = 500
# In PostgreSQL's units; a list of all 300 bookmarks costs about 100.
MOST_COST = 20_000
WORDS = ["garden", "zebra", "the", "a", "node.js", "日本語", "学", "x*", "e-mail", "--force", "!", "has:notes"]
TAGS = [f"t{number}" for number in range(60)]


@pytest.fixture
def library(ada: Api, context: Flask) -> Api:
    """Three hundred bookmarks that share tags, words and hosts."""
    items = [
        {
            "url": f"https://{'abc'[number % 3]}.example.org:{8000 + number % 2}/{number}",
            "title": f"the garden {WORDS[number % len(WORDS)]} 日本語 {number}",
            "tags": TAGS[number % 7 :: 7],
            "is_read": number % 2 == 0,
            "capture": False,
        }
        for number in range(300)
    ]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == 300
    refresh_statistics(ada.organization_id)
    with db.engine.begin() as connection:
        connection.execute(text("ANALYZE bookmarks, bookmark_documents, bookmark_tags, tags"))
    return ada


def numbered(form: str, number: int) -> str:
    return " ".join(form.format(place) for place in range(number))


@pytest.mark.parametrize("form", ["tag:t{}", "-tag:t{}", 'tag:"t {}"', "project:{}", "-project:{}", "site:h{}.example"])
def test_more_than_fifty_filters_are_422_and_named(ada: Api, form: str) -> None:
    query = numbered(form, MAX_FILTERS + 1)
    for path in ("/bookmarks", "/search"):
        assert field_errors(ada.get(path, q=query)) == {"query.q": "too_many_filters"}
        assert ada.get(path, q=numbered(form, MAX_FILTERS)).status_code == 200
    action = {"filter": {"q": query}, "action": "read"}
    assert field_errors(ada.post("/bookmarks/actions", action)) == {"body.filter.q": "too_many_filters"}


@pytest.mark.parametrize(
    "q", [numbered("tag:t{}", 90), numbered("-tag:t{}", 90), " OR ".join(f"tag:t{n}" for n in range(70))]
)
def test_the_reported_queries_are_refused(ada: Api, q: str) -> None:
    assert field_errors(ada.get("/bookmarks", q=q)) == {"query.q": "too_many_filters"}
    assert field_errors(ada.get("/search", q=q)) == {"query.q": "too_many_filters"}


def test_ninety_hashes_before_what_is_no_tag_are_words(ada: Api) -> None:
    ada.save("https://example.org/", title=numbered("#{}", 90), tags=["other"])
    assert ada.titles(q=numbered("#{}", 90)) == [numbered("#{}", 90)]


def test_ninety_tags_that_there_are_are_too_many_however_they_are_written(ada: Api) -> None:
    ada.save("https://example.org/1", tags=TAGS[:50])
    ada.save("https://example.org/2", tags=[*TAGS[50:], "more"])
    assert field_errors(ada.get("/bookmarks", q=numbered("#t{}", 60))) == {"query.q": "too_many_filters"}


def test_all_filters_count_together_and_repetitions_do_not(ada: Api) -> None:
    tags = [f"t{number}" for number in range(30)]
    for path in ("/bookmarks", "/search"):
        assert field_errors(ada.get(path, tag=tags, q=numbered("project:{}", 21))) == {"query.q": "too_many_filters"}
        assert ada.get(path, tag=tags, q=numbered("project:{}", 20)).status_code == 200
        assert (
            ada.get(path, tag=[*tags, "T1", " t2 "], q=" ".join(["TAG:t3 #t4 is:read is:read"] * 30)).status_code == 200
        )
    assert field_errors(ada.get("/bookmarks", tag=[f"t{n}" for n in range(51)])) == {"query.tag": "too_long"}
    action = {"filter": {"tag": tags, "q": numbered("-tag:u{}", 21)}, "action": "archive"}
    assert field_errors(ada.post("/bookmarks/actions", action)) == {"body.filter.q": "too_many_filters"}


SHAPES = {
    "required": "tag:t{}",
    "excluded": "-tag:u{}",
    "pairs": "tag:t{0} OR tag:u{0}",
    "projects": "project:{}",
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("path", ["/bookmarks", "/search"])
def test_fifty_tags_are_one_condition(library: Api, sql: SqlCounter, path: str, shape: str) -> None:
    few, many = (5, 25) if shape == "pairs" else (12, MAX_FILTERS)
    sizes = []
    for number in (few, many):
        sql.clear()
        assert library.get(path, q=numbered(SHAPES[shape], number)).status_code == 200
        sizes.append(sum(plan.count("->") for plan in sql.plans()))
    assert sizes[0] == sizes[1] > 0, "the plan grows with the number of tags"


def test_what_tags_mean_together(library: Api) -> None:
    def found(q: str, **query: Any) -> int:
        total = library.get("/bookmarks", q=q, is_archived="any", **query).json["total"]
        if q:  # Without a query a search has nothing to find.
            assert library.get("/search", q=q, mode="text", is_archived="any", **query).json["total"] == total
        return int(total)

    carried = [set(TAGS[number % 7 :: 7]) for number in range(300)]

    def expected(holds: Callable[[set[str]], bool]) -> int:
        return sum(map(holds, carried))

    assert found("tag:t0 tag:t7 tag:T14") == expected(lambda tags: {"t0", "t7", "t14"} <= tags) > 0
    assert found("tag:t0 tag:t1") == 0
    assert found("tag:t0 tag:nobody") == 0
    assert found("", tag=["t0", "t7"]) == found("tag:t7", tag="t0") == expected(lambda tags: {"t0", "t7"} <= tags)
    assert found("-tag:t0 -tag:t1 -tag:nobody") == expected(lambda tags: not tags & {"t0", "t1"})
    assert found("tag:t0 OR tag:t1 OR tag:nobody") == expected(lambda tags: bool(tags & {"t0", "t1"}))
    assert found("tag:t0 OR tag:t1 tag:t1 OR tag:t2") == expected(lambda tags: "t1" in tags)
    assert found("tag:t0 OR tag:t1 tag:t7 OR tag:t3") == expected(lambda tags: "t7" in tags)
    assert found("tag:t0 OR tag:t1 tag:t0") == expected(lambda tags: "t0" in tags)
    assert found("tag:t0 OR -tag:t1") == expected(lambda tags: "t0" in tags or "t1" not in tags)
    assert found("-tag:t0 OR -tag:t7") == expected(lambda tags: not {"t0", "t7"} <= tags)
    assert found("-tag:t0 OR -tag:t1") == 300
    assert found("tag:t0 OR garden") == 300
    assert found("tag:t0 OR is:unread -tag:t1") == sum(
        ("t0" in tags or number % 2 == 1) and "t1" not in tags for number, tags in enumerate(carried)
    )
    assert found("project:1 OR tag:t0") == expected(lambda tags: "t0" in tags)
    assert found("-project:1 -project:2") == 300
    assert found("project:1 OR project:2") == found("project:1 project:2") == 0


SIZES = count()


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "title"])
def test_a_list_of_many_filters_is_paged_like_any_other(library: Api, sort: str) -> None:
    few, many = "tag:t0", f"tag:t0 {numbered('-tag:u{}', 20)}"
    pages = []
    for q in (few, many):
        found, cursor = [], None
        for page in range(1, 6):
            by_cursor = library.get(
                "/bookmarks", q=q, sort=sort, page_size=10, **({"cursor": cursor} if cursor else {})
            )
            by_number = library.get("/bookmarks", q=q, sort=sort, page_size=10, page=page)
            assert by_cursor.json["items"] == by_number.json["items"]
            assert (by_cursor.json["total"], by_number.json["total"]) == (43, 43)
            found += [item["id"] for item in by_cursor.json["items"]]
            cursor = by_cursor.json["next_cursor"]
        assert library.get("/bookmarks", q=q, sort=sort, page_size=10, page=9).json["total"] == 43
        pages.append(found)
    assert pages[0] == pages[1]
    assert len(set(pages[0])) == 43


UNITS = st.one_of(
    st.sampled_from(WORDS),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda pair: f'"{pair[0]} {pair[1]}"'),
    st.sampled_from(TAGS).map("tag:{}".format),
    st.sampled_from(TAGS).map("#{}".format),
    st.integers(1, 60).map("#{}".format),
    st.sampled_from(["a.example.org", "example.org", "b.example.org:8000", "[fd00::1]"]).map("site:{}".format),
    st.integers(1, 60).map("project:{}".format),
    st.sampled_from(["unread", "read", "favorite", "archived", "untagged", "broken"]).map("is:{}".format),
    st.sampled_from(["en", "de", "ja"]).map("lang:{}".format),
    st.dates().map(lambda day: f"before:{day}"),
    st.dates().map(lambda day: f"after:{day}"),
)
SIGNED = st.tuples(st.sampled_from(["", "-"]), UNITS).map("".join)
QUERIES = st.lists(st.tuples(SIGNED, st.sampled_from([" ", " ", " OR "])).map("".join), min_size=1, max_size=130).map(
    lambda parts: "".join(parts)[:LONGEST]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES)
def test_any_mix_of_operators_is_planned_at_a_bounded_cost(library: Api, sql: SqlCounter, query: str) -> None:
    for path, given_mode in (("/bookmarks", {}), ("/search", {"mode": "text"})):
        sql.clear()
        # Of another size than before, so that no cached response is given.
        answer = library.get(path, q=query, page_size=1 + next(SIZES) % 100, **given_mode)
        assert answer.status_code in (200, 422)
        if answer.status_code == 422:
            assert field_errors(answer) == {"query.q": "too_many_filters"}
            continue
        plans = list(explained(sql))
        assert 0 < len(plans) <= 7
        assert sum(json.dumps(plan).count('"Node Type"') for plan in plans) <= MOST_NODES, query
        assert sum(plan["Total Cost"] for plan in plans) <= MOST_COST, query
        # No table is joined to itself for each filter: what is read cannot grow with their number.
        assert max(plan["Plan Rows"] for plan in plans) <= 1_000, query


def explained(sql: SqlCounter) -> Iterator[dict[str, Any]]:
    sent = list(zip(sql.statements, sql.parameters, strict=True))
    with sql.engine.connect() as connection:
        cursor = connection.connection.cursor()
        for statement, values in sent:
            if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", values)
                row = cursor.fetchone()
                assert row is not None
                yield row[0][0]["Plan"]
                if "set_config" in statement:
                    cursor.execute(statement, values)
    sql.clear()


@pytest.mark.parametrize("path", ["/bookmarks", "/search"])
def test_a_query_that_takes_too_long_says_so_and_others_go_on(
    ada: Api, bob: Api, app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    ada.save("https://example.org/", title="garden", tags=["t"])
    with app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        # Whoever reads bookmarks waits for this, whatever the machine's speed.
        connection.execute(text("LOCK TABLE bookmarks IN ACCESS EXCLUSIVE MODE"))
        monkeypatch.setattr(settings, "DATABASE_READ_TIMEOUT_MS", 100)
        refused = ada.get(path, q="garden tag:t")
        assert (refused.status_code, refused.json["code"]) == (503, "query_timeout")
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.mimetype == "application/problem+json"
        assert "too long" in refused.json["detail"]
        # Whoever asks for something else is served, and the database is known to be well.
        assert bob.get("/tags").status_code == 200
        assert ada.get("/api/health").json["checks"]["database"]["status"] == "healthy"
        connection.rollback()
    monkeypatch.undo()
    assert ada.get(path, q="garden tag:t").json["total"] == 1


def test_a_write_may_wait_longer_than_a_read(
    ada: Api, app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = ada.save("https://example.org/", title="garden")
    monkeypatch.setattr(settings, "DATABASE_READ_TIMEOUT_MS", 100)
    with app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE bookmarks IN ACCESS EXCLUSIVE MODE"))
        release = threading.Timer(0.5, connection.rollback)
        release.start()
        assert ada.patch(f"/bookmarks/{saved['id']}", {"title": "other"}).status_code == 200
        release.join()


def test_the_timeout_of_reads_takes_no_statement_of_its_own(ada: Api, sql: SqlCounter) -> None:
    with sql.at_most(2):
        assert ada.get("/bookmarks").status_code == 200
    assert not [statement for statement in sql.statements if "statement_timeout" in statement]
