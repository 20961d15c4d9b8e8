"""Totals that are kept, not counted: exact whoever writes, by whatever way, and read without looking at bookmarks."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from backend.bookmarks.jobs import purge_trash
from backend.extensions import db
from backend.organizations.jobs import purge_deleted_organizations
from backend.profile.deletion import remove_deleted
from tests.organizations.teams import make_team, write
from tests.support.api import PASSWORD, Api
from tests.support.pages import add_page
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.requires_db]
TAGS = ["x", "y", "z"]
URLS = [f"https://example.org/{number}" for number in range(40)]
FLAGS = ("is_read", "is_favorite", "is_archived")
KIND = "organization_id, is_deleted, is_archived, is_read, is_favorite, is_tagged, capture_status"
TAGGED = "EXISTS (SELECT FROM bookmark_tags t WHERE t.bookmark_id = b.id)"
# What is kept beside what is there; each of these finds nothing where both are the same.
DIFFERENCES = [
    f"""
    SELECT {KIND}, sum(bookmarks) AS bookmarks FROM bookmark_counts GROUP BY {KIND} HAVING sum(bookmarks) <> 0
    EXCEPT ALL
    SELECT {KIND}, count(*) FROM (
        SELECT organization_id, deleted_at IS NOT NULL AS is_deleted, is_archived, is_read, is_favorite,
               {TAGGED} AS is_tagged, capture_status FROM bookmarks b) AS there GROUP BY {KIND}
    """,
    f"""
    SELECT {KIND}, count(*) FROM (
        SELECT organization_id, deleted_at IS NOT NULL AS is_deleted, is_archived, is_read, is_favorite,
               {TAGGED} AS is_tagged, capture_status FROM bookmarks b) AS there GROUP BY {KIND}
    EXCEPT ALL
    SELECT {KIND}, sum(bookmarks) AS bookmarks FROM bookmark_counts GROUP BY {KIND} HAVING sum(bookmarks) <> 0
    """,
    f"SELECT id FROM bookmarks b WHERE is_tagged <> {TAGGED}",
    """
    SELECT t.id, kept.n, there.n FROM tags t
      CROSS JOIN (VALUES (true), (false)) AS shelf(is_archived)
      CROSS JOIN LATERAL (SELECT coalesce(sum(c.bookmarks), 0) AS n FROM tag_counts c
                           WHERE c.tag_id = t.id AND c.is_archived = shelf.is_archived) AS kept
      CROSS JOIN LATERAL (SELECT count(*) AS n FROM bookmark_tags bt JOIN bookmarks b ON b.id = bt.bookmark_id
                           WHERE bt.tag_id = t.id AND b.deleted_at IS NULL
                             AND b.is_archived = shelf.is_archived) AS there
     WHERE kept.n <> there.n
    """,
]


def differences(connection: Connection) -> list[Any]:
    """Where what is kept is not what is there."""
    return [row for statement in DIFFERENCES for row in connection.execute(text(statement)).all()]


@pytest.fixture
def exact(context: Flask) -> Iterator[Callable[[], None]]:
    """Fails unless everything that is kept is as counted."""

    def check() -> None:
        with db.engine.connect() as connection:
            assert differences(connection) == []

    yield check
    check()


def rows_of(table: str) -> int:
    with db.engine.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


# Random work by two people on what they share, and on what each has alone.


def _some(chance: random.Random, api: Api, headers: dict[str, str], **query: Any) -> list[int]:
    query = {"is_archived": "any", "page_size": 100, **query}
    items = api.request("GET", "/bookmarks", query_string=query, headers=headers).json["items"]
    return [item["id"] for item in chance.sample(items, min(len(items), chance.randint(1, 6)))]


def _link(chance: random.Random) -> dict[str, Any]:
    return {
        "url": chance.choice(URLS),
        "tags": chance.sample(TAGS, chance.randrange(3)),
        "capture": chance.random() < 0.5,
        **{flag: chance.random() < 0.5 for flag in FLAGS},
    }


def _filter(chance: random.Random) -> dict[str, Any]:
    return {name: chance.random() < 0.5 for name in chance.sample(["is_read", "is_favorite", "untagged"], 1)}


Step = Callable[[random.Random, Api, dict[str, str]], TestResponse | None]


def _create(chance: random.Random, api: Api, there: dict[str, str]) -> TestResponse:
    return api.post("/bookmarks", _link(chance), headers=there)


def _bulk(chance: random.Random, api: Api, there: dict[str, str]) -> TestResponse:
    return api.post("/bookmarks/bulk", {"items": [_link(chance) for _ in range(12)]}, headers=there)


def _patch(chance: random.Random, api: Api, there: dict[str, str]) -> TestResponse | None:
    ids = _some(chance, api, there)
    names = chance.sample([*FLAGS, "tags"], 2)
    body = {name: chance.random() < 0.5 for name in names} | (
        {"tags": chance.sample(TAGS, chance.randrange(3))} if "tags" in names else {}
    )
    return api.patch(f"/bookmarks/{ids[0]}", body, headers=there) if ids else None


def _act(chance: random.Random, api: Api, there: dict[str, str]) -> TestResponse | None:
    flags = ["archive", "unarchive", "read", "unread", "favorite", "unfavorite"]
    action = chance.choice([*flags, "add_tags", "remove_tags", "delete", "capture"])
    body: dict[str, Any] = (
        {"action": action, "tags": chance.sample(TAGS, 2)} if "tags" in action else {"action": action}
    )
    if chance.random() < 0.3:
        return api.post("/bookmarks/actions", {"filter": _filter(chance), **body}, headers=there)
    ids = _some(chance, api, there)
    return api.post("/bookmarks/actions", {"ids": ids, **body}, headers=there) if ids else None


def _restore(chance: random.Random, api: Api, there: dict[str, str]) -> TestResponse | None:
    ids = _some(chance, api, there, deleted="true")
    return api.post("/bookmarks/actions", {"ids": ids, "action": "restore"}, headers=there) if ids else None


def _delete(chance: random.Random, api: Api, there: dict[str, str]) -> TestResponse | None:
    ids = _some(chance, api, there, deleted=chance.choice(["true", "false"]))
    permanent = chance.choice(["true", "true", "false"])
    path = f"/bookmarks/{ids[0]}?permanent={permanent}" if ids else ""
    return api.request("DELETE", path, headers=there) if ids else None


def _change_tag(chance: random.Random, api: Api, there: dict[str, str]) -> TestResponse | None:
    tags = [tag["id"] for tag in api.request("GET", "/tags", headers=there).json["items"]]
    if len(tags) < 2:
        return None
    one, other = chance.sample(tags, 2)
    match chance.randrange(3):
        case 0:
            return api.post(f"/tags/{one}/merge", {"into_id": other}, headers=there)
        case 1:
            return api.patch(f"/tags/{one}", {"name": chance.choice([*TAGS, "w"])}, headers=there)
        case _:
            return api.request("DELETE", f"/tags/{one}", headers=there)


def _capture(chance: random.Random, api: Api, there: dict[str, str]) -> None:
    """As the worker does it."""
    for id_ in _some(chance, api, there, capture_status="pending")[:1]:
        write(api, "UPDATE bookmarks SET capture_status = 'failed' WHERE id = :id", id=id_)
        with api.app.app_context():
            if chance.random() < 0.5 and not db.session.scalar(
                text("SELECT count(*) FROM bookmark_contents WHERE bookmark_id = :id"), {"id": id_}
            ):
                add_page(id_, "a page", update_bookmark=True)


def _purge(chance: random.Random, api: Api, there: dict[str, str]) -> None:
    write(
        api, "UPDATE bookmarks SET deleted_at = now() - interval '90 days' WHERE deleted_at IS NOT NULL AND id % 3 = 0"
    )
    with api.app.app_context():
        purge_trash()


STEPS: dict[Step, int] = {
    **{_create: 8, _bulk: 3, _patch: 8, _act: 10, _restore: 4, _delete: 5, _change_tag: 2, _capture: 4, _purge: 1}
}
CHOICES: dict[str, list[Any]] = {
    "deleted": ["false", "true"],
    "is_archived": ["false", "true", "any"],
    "is_read": [None, "true", "false"],
    "is_favorite": [None, "true", "false"],
    "untagged": [None, "true", "false"],
    "capture_status": [None, "pending", "captured", "failed", "skipped"],
    "tag": [None, "x", "nobody's"],
}


def _passes(one: dict[str, Any], query: dict[str, Any]) -> bool:
    return (
        (one["deleted_at"] is not None) == (query["deleted"] == "true")
        and all(query[flag] in (None, "any", str(one[flag]).lower()) for flag in FLAGS)
        and query["untagged"] in (None, str(not one["tags"]).lower())
        and query["capture_status"] in (None, one["capture"]["status"])
        and (query["tag"] is None or query["tag"] in one["tags"])
    )


def _everything(api: Api, there: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for deleted, page in itertools.product(("true", "false"), range(1, 5)):
        query = {"deleted": deleted, "is_archived": "any", "page_size": 100, "page": page}
        found += api.request("GET", "/bookmarks", query_string=query, headers=there).json["items"]
    return found


def _compare(api: Api, there: dict[str, str], chance: random.Random, number: int) -> None:
    """The totals of many filters with those of everything that is listed."""
    bookmarks = _everything(api, there)
    queries = [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]
    for query in chance.sample(queries, number):
        given = {name: value for name, value in query.items() if value is not None}
        answer = api.request("GET", "/bookmarks", query_string={"page_size": 1, **given}, headers=there).json
        assert answer["total"] == sum(_passes(one, query) for one in bookmarks), given
    for tag in api.request("GET", "/tags", headers=there).json["items"]:
        carried = [one for one in bookmarks if tag["name"] in one["tags"] and one["deleted_at"] is None]
        assert tag["bookmark_count"] == len(carried)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_two_people_do_every_total_is_the_number_of_what_passes(
    ada: Api, bob: Api, exact: Callable[[], None], seed: int
) -> None:
    team = make_team(ada)
    join = "INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, 'editor')"
    write(ada, join, user=bob.user_id, team=team)
    chance = random.Random(seed)
    shared: dict[str, str] = {"X-Organization-ID": str(team)}
    places = [(ada, shared), (bob, shared), (ada, {}), (bob, {})]
    for number in range(120):
        api, there = chance.choice(places)
        answer = chance.choices(list(STEPS), weights=list(STEPS.values()))[0](chance, api, there)
        assert answer is None or answer.status_code in (200, 201, 204, 404, 409), answer.get_data(as_text=True)
        exact()
        if number % 40 == 39:
            for place in places[1:]:
                _compare(*place, chance, 60)


def test_a_list_of_the_usual_filters_is_counted_without_a_look_at_bookmarks(ada: Api, sql: SqlCounter) -> None:
    ada.save("https://example.org/", tags=["t"], is_favorite=True)
    queries: list[tuple[dict[str, Any], str]] = [
        ({}, "bookmark_counts"),
        ({"is_favorite": "true", "is_read": "false", "is_archived": "any"}, "bookmark_counts"),
        ({"untagged": "true"}, "bookmark_counts"),
        ({"capture_status": "skipped", "q": " "}, "bookmark_counts"),
        ({"deleted": "true"}, "bookmark_counts"),
        ({"tag": "T"}, "tag_counts"),
        ({"tag": "t", "is_archived": "any"}, "tag_counts"),
        ({"tag": ["t", "u"]}, "count(*)"),
        ({"tag": "t", "is_read": "false"}, "count(*)"),
        ({"tag": "t", "untagged": "false"}, "count(*)"),
        ({"tag": "t", "deleted": "true"}, "count(*)"),
        ({"domain": "example.org"}, "count(*)"),
        ({"project_id": 1}, "count(*)"),
        ({"created_after": "2020-01-01T00:00:00Z"}, "count(*)"),
        ({"q": "is:unread"}, "count(*)"),
    ]
    ada.get("/profile")
    for query, place in queries:
        sql.clear()
        assert ada.get("/bookmarks", **query).status_code == 200
        told = [name for name in ("bookmark_counts", "tag_counts", "count(*)") if name in sql.statements[0]]
        assert told == [place], query


# Many connections at once.


def test_writers_side_by_side_leave_exact_counts(ada: Api, exact: Callable[[], None]) -> None:
    for number in range(30):
        ada.save(f"https://other.example/{number}", tags=["x"] if number % 2 else [])

    def work(seed: int) -> int:
        api, chance = Api(ada.app, session=ada.session), random.Random(seed)
        for _ in range(40):
            step = chance.choice([_create, _bulk, _patch, _act, _restore, _delete, _change_tag])
            answer = step(chance, api, {})
            assert answer is None or answer.status_code in (200, 201, 204, 404, 409, 422), answer.get_data(as_text=True)
        return seed

    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(work, range(8)))) == 8
    exact()
    _compare(ada, {}, random.Random(0), 100)


def test_tags_put_on_below_the_services_are_counted_too(ada: Api, exact: Callable[[], None], context: Flask) -> None:
    """Nobody has locked the bookmarks: the triggers do. One archives, one takes the last tag off, one puts one on."""
    ids = [ada.save(f"https://example.org/{number}", tags=["x"])["id"] for number in range(12)]
    ada.save("https://example.org/y", tags=["y"])
    statements = [
        "UPDATE bookmarks SET is_archived = NOT is_archived WHERE id = :id",
        "DELETE FROM bookmark_tags WHERE bookmark_id = :id AND tag_id = (SELECT id FROM tags WHERE name = 'x')",
        "INSERT INTO bookmark_tags (bookmark_id, tag_id) SELECT :id, id FROM tags ORDER BY name ON CONFLICT DO NOTHING",
        "DELETE FROM bookmark_tags WHERE bookmark_id = :id",
    ]

    def work(seed: int) -> None:
        chance = random.Random(seed)
        with ada.app.app_context():
            engine = db.engine
        for _ in range(60):
            with engine.begin() as connection:
                connection.execute(text(chance.choice(statements)), {"id": chance.choice(ids)})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    exact()


def test_writers_do_not_wait_for_one_another_and_readers_see_what_they_see(ada: Api, exact: Callable[[], None]) -> None:
    ids = [ada.save(f"https://example.org/{number}", tags=["x"])["id"] for number in range(4)]
    change = text("UPDATE bookmarks SET is_archived = true WHERE id = :id")
    fold = text("SELECT fold_bookmark_counts(ARRAY[:o]), fold_tag_counts(ARRAY(SELECT id FROM tags))")
    unarchived = text("SELECT sum(bookmarks) FROM bookmark_counts WHERE NOT is_archived")
    with db.engine.connect() as one, db.engine.connect() as other, db.engine.connect() as past:
        past.execution_options(isolation_level="REPEATABLE READ")
        assert past.scalar(unarchived) == 4
        for connection, id_ in ((one, ids[0]), (other, ids[1])):
            connection.execute(text("SET LOCAL lock_timeout = 500"))
            connection.execute(change, {"id": id_})
            connection.execute(fold, {"o": ada.organization_id})
            assert connection.scalar(unarchived) == 3, "its own change, and not the other's"
        one.commit()
        other.commit()
        assert one.scalar(unarchived) == 2
        assert past.scalar(unarchived) == 4
        # One that sees the past may still change what nobody has changed since.
        past.execute(change, {"id": ids[2]})
        assert past.scalar(unarchived) == 3
        past.commit()
        assert past.scalar(unarchived) == 1
        assert differences(past) == []


def test_a_change_under_a_condition_is_refused_when_the_tags_were_changed_meanwhile(ada: Api, bob: Api) -> None:
    """A transaction that sees the past would count by the tags of the past; whoever changes tags stops it."""
    saved = ada.save("https://example.org/", tags=["x", "y"])
    with db_connection(ada.app) as past:
        assert past.scalar(text("SELECT count(*) FROM bookmark_tags")) == 2
        tag = next(tag["id"] for tag in ada.get("/tags").json["items"] if tag["name"] == "x")
        assert ada.delete(f"/tags/{tag}").status_code == 204
        with pytest.raises(Exception, match="could not serialize access"):
            past.execute(text("UPDATE bookmarks SET is_archived = true WHERE id = :id"), {"id": saved["id"]})


def db_connection(app: Flask) -> Connection:
    with app.app_context():
        return db.engine.connect().execution_options(isolation_level="REPEATABLE READ")


# Few rows, and none where nothing is left.


def test_rows_are_folded_so_that_there_are_never_many(ada: Api, exact: Callable[[], None]) -> None:
    id_ = ada.save("https://example.org/", tags=["x"])["id"]
    for number in range(300):
        with db.engine.begin() as connection:
            change = "UPDATE bookmarks SET is_archived = :archived, is_read = :read WHERE id = :id"
            values = {"archived": number % 2 == 0, "read": number % 3 == 0, "id": id_}
            connection.execute(text(change), values)
        assert rows_of("bookmark_counts") <= 140
        assert rows_of("tag_counts") <= 140


def test_a_change_of_nothing_that_is_counted_leaves_no_row(ada: Api, exact: Callable[[], None]) -> None:
    ids = [ada.save(f"https://example.org/{number}", tags=["x"])["id"] for number in range(3)]
    before = rows_of("bookmark_counts"), rows_of("tag_counts")
    assert ada.patch(f"/bookmarks/{ids[0]}", {"title": "New", "is_read": False}).status_code == 200
    write(ada, "UPDATE bookmarks SET embedding_due_at = NULL, updated_at = now()")
    # What one gains and another loses is no change of a count, but it is one of two tags.
    write(ada, "UPDATE bookmarks SET is_archived = (id = :id)", id=ids[1])
    exact()
    write(ada, "UPDATE bookmarks SET is_archived = NOT is_archived WHERE id <> :id", id=ids[0])
    exact()
    write(ada, "UPDATE bookmarks SET is_archived = (id = :id)", id=ids[1])
    assert rows_of("bookmark_counts") <= before[0] + 4


def test_an_action_on_thousands_appends_a_row_for_each_kind(ada: Api, exact: Callable[[], None]) -> None:
    links = [{"url": f"https://example.org/{number}", "tags": ["x"], "capture": False} for number in range(1000)]
    for part in range(3):
        items = [{**link, "url": f"{link['url']}/{part}"} for link in links]
        assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == 1000
    before = rows_of("bookmark_counts"), rows_of("tag_counts")
    assert before <= (3, 3)
    for action in ("archive", "favorite", "delete", "restore"):
        wanted = {"is_archived": "any", "deleted": action == "restore"}
        answer = ada.post("/bookmarks/actions", {"action": action, "filter": wanted})
        assert answer.json == {"affected": 3000}
        exact()
    assert rows_of("bookmark_counts") <= before[0] + 8
    assert ada.get("/bookmarks", is_archived="true", is_favorite="true").json["total"] == 3000
    assert ada.get("/tags").json["items"][0]["bookmark_count"] == 3000


def test_nothing_is_left_of_what_is_deleted_with_all_it_has(
    ada: Api, bob: Api, exact: Callable[[], None], person: Callable[..., Api]
) -> None:
    for api in (ada, bob):
        for number in range(3):
            api.save(f"https://example.org/{number}", tags=["x", "y"], is_archived=number == 0)
    team, other = make_team(ada), make_team(ada)
    for organization in (team, other):
        api_there = {"headers": {"X-Organization-ID": str(organization)}}
        items = [{"url": url, "tags": ["x"]} for url in URLS]
        assert ada.post("/bookmarks/bulk", {"items": items}, **api_there).json["created"] == 40
    write(ada, "DELETE FROM organizations WHERE id = :id", id=team)
    exact()
    assert ada.request("DELETE", f"/organizations/{other}", json={"name": "Team"}).status_code == 204
    purge_deleted_organizations()
    exact()
    assert bob.request("DELETE", "/profile", json={"password": PASSWORD}).status_code == 204
    assert remove_deleted(30)
    exact()
    with db.engine.connect() as connection:
        left = connection.scalars(text("SELECT DISTINCT organization_id FROM bookmark_counts")).all()
    assert left == [ada.organization_id]


def test_where_a_table_is_emptied_the_counts_are(ada: Api, exact: Callable[[], None]) -> None:
    ada.save("https://example.org/1", tags=["x"])
    write(ada, "TRUNCATE bookmark_tags")
    exact()
    assert ada.get("/bookmarks", untagged="true").json["total"] == 1
    ada.save("https://example.org/2", tags=["x"])
    write(ada, "TRUNCATE bookmarks CASCADE")
    exact()
    assert (rows_of("bookmark_counts"), rows_of("tag_counts")) == (0, 0)


# How few of many are found.

FORGET_STATISTICS = """
    SELECT pg_clear_relation_stats('public', tablename), pg_clear_attribute_stats('public', tablename, attname, false)
      FROM pg_stats WHERE tablename = 'bookmarks'
"""


@pytest.fixture
def many(ada: Api) -> Api:
    """So many bookmarks that reading all of them would show, and a few of each rare kind, old ones."""
    write(
        ada,
        """
        INSERT INTO bookmarks (organization_id, url, url_hash, domain, title_key, is_read, is_favorite, is_archived,
                               is_tagged, capture_status, created_at)
        SELECT :organization, 'https://example.org/' || n, sha256(n::text::bytea), 'example.org', n::text,
               n BETWEEN 1 AND 5, n BETWEEN 6 AND 10, n BETWEEN 11 AND 15, n NOT BETWEEN 16 AND 20,
               CASE WHEN n BETWEEN 21 AND 25 THEN 'failed' ELSE 'captured' END, now() - (20001 - n) * interval '1 s'
          FROM generate_series(1, 20000) AS n
        """,
        organization=ada.organization_id,
    )
    return ada


ONE_ROW = """
    SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', 'bookmark_tags', 'relpages', 1,
                                     'reltuples', 1::real)
"""
TAG_ALL = """
    WITH tag AS (INSERT INTO tags (organization_id, name, name_key) VALUES (:organization, 'x', 'x') RETURNING id)
    INSERT INTO bookmark_tags (bookmark_id, tag_id) SELECT b.id, tag.id FROM bookmarks b, tag
"""
UNTAGGED = "UPDATE bookmarks SET is_tagged = false"


def test_tags_are_counted_in_time_by_a_plan_made_for_few(many: Api) -> None:
    """A connection keeps the plans of a trigger, however many rows come later (95 s for these)."""
    write(many, ONE_ROW)
    with many.app.app_context(), db.engine.begin() as connection:
        # It keeps those of foreign keys too, which other tests may have had made for few bookmarks (10 s for these).
        connection.execute(text(f"DISCARD PLANS; SET LOCAL statement_timeout = '20s'; {UNTAGGED}"))
        connection.execute(text(TAG_ALL), {"organization": many.organization_id})
    assert many.get("/tags").json["items"][0]["bookmark_count"] == 20_000


@pytest.mark.parametrize("analyzed", [False, True], ids=["right after an import", "later"])
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "ix_bookmarks_inbox"),
        ({"is_archived": "any"}, "ix_bookmarks_created"),
        ({"is_archived": "true"}, "ix_bookmarks_archived"),
        ({"is_favorite": "true", "is_archived": "any"}, "ix_bookmarks_favorite"),
        ({"is_favorite": "true"}, "ix_bookmarks_favorite"),
        ({"is_favorite": "true", "sort": "title"}, "ix_bookmarks_favorite"),
        ({"is_favorite": "true", "sort": "-updated_at"}, "ix_bookmarks_favorite"),
        ({"is_read": "true"}, "ix_bookmarks_read"),
        ({"is_read": "false", "is_archived": "any"}, "ix_bookmarks_unread"),
        ({"untagged": "true"}, "ix_bookmarks_untagged"),
        ({"capture_status": "failed"}, "ix_bookmarks_broken"),
        ({"sort": "title"}, "ix_bookmarks_title"),
        ({"sort": "-updated_at"}, "ix_bookmarks_updated"),
    ],
)
def test_a_page_is_found_by_an_index_however_few_pass(
    many: Api, sql: SqlCounter, context: Flask, query: dict[str, Any], index: str, analyzed: bool
) -> None:
    """R-DB 1, and decision 8: what a list costs does not grow with the list."""
    many.get("/profile")
    write(many, "ANALYZE bookmarks" if analyzed else FORGET_STATISTICS)
    sql.clear()
    answer = many.get("/bookmarks", **query)
    assert answer.status_code == 200
    [page] = sql.plans()
    assert "bookmark_counts" in page
    assert answer.json["total"] >= 5
    assert index in page or not analyzed
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.statements[0]}", sql.parameters[0])
        [[plan]] = cursor.fetchall()
    assert looked_at(plan[0]["Plan"]) <= 150


def looked_at(plan: dict[str, Any]) -> float:
    """How many rows the steps of a plan have read, with those that they threw away."""
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    own = (plan["Actual Rows"] + removed) * plan["Actual Loops"] if "Relation Name" in plan else 0
    return float(own) + sum(looked_at(part) for part in plan.get("Plans", []))
