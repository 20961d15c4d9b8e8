"""GET /search/suggest (R-SEARCH): tags, titles, domains and recent searches while somebody types."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from backend.actor import Actor
from backend.extensions import db
from backend.jobs.queue import queue_depth
from backend.redis.client import redis_client
from backend.search import recent
from backend.search.jobs import refresh_suggestions, resend_due_suggestions
from backend.search.recent import recent_searches, store_search
from backend.search.suggest import queries as suggestion_queries
from backend.search.suggest import refresh as suggestion_refresh
from backend.search.suggest.refresh import due_organizations
from backend.search.suggest.vocabulary import is_one_typo, near_keys, typed_words, words_in
from tests.support.api import Api, field_errors
from tests.support.factories import unreachable_gate
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def suggest(api: Api, q: str = "") -> list[tuple[str, str]]:
    response = api.get("/search/suggest", q=q)
    assert response.status_code == 200, response.get_data(as_text=True)
    assert set(response.json) == {"items"}
    items = [(item["kind"], item["value"]) for item in response.json["items"]]
    assert len(items) <= 10
    assert len(set(items)) == len(items)
    return items


def values(api: Api, kind: str, q: str) -> list[str]:
    return [value for found, value in suggest(api, q) if found == kind]


def refresh(api: Api) -> None:
    """What the worker does within a minute."""
    with api.app.app_context():
        refresh_suggestions()
        db.session.remove()


def run(api: Api, statement: str, **given_values: Any) -> list[Any]:
    with api.app.app_context():
        found = db.session.execute(text(statement), given_values)
        rows = list(found.all()) if found.returns_rows else []  # type: ignore[attr-defined]
        db.session.commit()
        db.session.remove()
    return rows


@pytest.fixture
def library(ada: Api) -> Api:
    """A few bookmarks of all kinds, suggestions up to date."""
    ada.save("https://docs.github.com/a", title="Machine learning for the rest of us", tags=["machine-learning", "ai"])
    ada.save("https://example.org/b", title="Learn you a Haskell for great good", tags=["Haskell", "machine-learning"])
    ada.save("https://news.example.net/c", title="The café of the broken machine: leaks", tags=["Café Society"])
    ada.save("https://example.org/d", title="Kubernetes the hard way", tags=["kubernetes"])
    ada.save("https://example.jp/e", title="はじめての機械学習入門", tags=["機械学習"])
    ada.save("https://example.cn/f", title="深入理解计算机系统")
    ada.save("https://example.org/g", title="Node.js design patterns", tags=["node.js", "C++"])
    refresh(ada)
    return ada


@pytest.mark.parametrize(
    ("q", "kind", "found"),
    [
        ("machine lea", "title", ["The café of the broken machine: leaks", "Machine learning for the rest of us"]),
        ("machine lea", "tag", ["machine-learning"]),
        ("lea", "title", ["The café of the broken machine: leaks", "Learn you a Haskell for great good",
                          "Machine learning for the rest of us"]),
        ("learning", "tag", ["machine-learning"]),
        ("mac", "tag", ["machine-learning"]),
        ("github", "domain", ["docs.github.com"]),
        ("docs.gi", "domain", ["docs.github.com"]),
        ("hub", "domain", []),
        ("hask", "tag", ["Haskell"]),
        ("HASK", "tag", ["Haskell"]),
        ("hask gre", "title", []),
        ("haskell gre", "title", ["Learn you a Haskell for great good"]),
        ("great haskell", "title", ["Learn you a Haskell for great good"]),
        ("cafe", "title", ["The café of the broken machine: leaks"]),
        ("CAFÉ", "tag", ["Café Society"]),
        ("cafe\u0301 soc", "tag", ["Café Society"]),
        ("nodejs", "title", ["Node.js design patterns"]),
        ("node.j", "tag", ["node.js"]),
        ("c++", "tag", ["C++"]),
        ("機械", "title", ["はじめての機械学習入門"]),
        ("学習", "title", ["はじめての機械学習入門"]),
        ("はじめての機械学習入", "title", ["はじめての機械学習入門"]),
        ("学習", "tag", ["機械学習"]),
        ("计算机", "title", ["深入理解计算机系统"]),
        ("计算器", "title", []),
        ("k", "tag", ["kubernetes"]),
        ("zebra", "title", []),
    ],
)  # fmt: skip
def test_the_last_word_is_a_prefix_and_the_others_are_whole(library: Api, q: str, kind: str, found: list[str]) -> None:
    assert values(library, kind, q) == found


@pytest.mark.parametrize(
    "q",
    ["kubernetez", "kubernets", "kubernettes", "kubernetse", "kuberneets", "kubrnetes", "ubernetes", "kubernetesx",
     "Kubernrt", "kxbern", "ukbernetes"],
)  # fmt: skip
def test_a_typo_of_one_letter_still_finds(library: Api, q: str) -> None:
    assert values(library, "tag", q) == ["kubernetes"]
    assert values(library, "title", q) == ["Kubernetes the hard way"]


@pytest.mark.parametrize(
    "q", ["mahcine lea", "machine leraning", "amchine learning", "machin learn", "xmachine learni"]
)
def test_a_typo_in_one_of_several_words_still_finds(library: Api, q: str) -> None:
    assert "Machine learning for the rest of us" in values(library, "title", q)


@pytest.mark.parametrize("q", ["kuxxrnetes", "kubernxtxs", "keburn", "kub ernxtes"])
def test_two_typos_do_not(library: Api, q: str) -> None:
    assert values(library, "tag", q) == []


def test_what_is_typed_right_comes_before_what_is_nearly_so(ada: Api) -> None:
    for place in range(3):
        ada.save(f"https://example.org/{place}", title=f"trust {place}", tags=["trust"])
    ada.save("https://example.org/rust", title="Rust book", tags=["rust"])
    ada.save("https://example.org/rest", title="rest in practice")
    refresh(ada)
    found = suggest(ada, "rust")
    assert found[:2] == [("tag", "rust"), ("title", "Rust book")]
    assert ("tag", "trust") in found
    assert ("title", "rest in practice") in found


def test_tags_come_by_use_titles_newest_first_domains_by_bookmarks(ada: Api) -> None:
    for place in range(4):
        ada.save(
            f"https://zeta{'' if place else '-one'}.example.org/{place}",
            title=f"zeta title {place}",
            tags=["zeta-often", *(["zeta-once"] if place == 3 else [])],
        )
    refresh(ada)
    assert suggest(ada, "zeta") == [
        ("tag", "zeta-often"),
        ("tag", "zeta-once"),
        ("title", "zeta title 3"),
        ("title", "zeta title 2"),
        ("title", "zeta title 1"),
        ("title", "zeta title 0"),
        ("domain", "zeta.example.org"),
        ("domain", "zeta-one.example.org"),
    ]


def test_every_kind_has_a_place(ada: Api, context: Flask) -> None:
    for place in range(15):
        ada.save(f"https://omega{place}.example.org/", title=f"omega {place}", tags=[f"omega{place}"])
        store_search(actor_of(ada), f"omega search {place}")
    refresh(ada)
    found = suggest(ada, "omega")
    assert len(found) == 10
    assert [kind for kind, _ in found] == ["recent"] * 3 + ["tag"] * 3 + ["title"] * 2 + ["domain"] * 2


def test_one_title_of_many_bookmarks_is_suggested_once(ada: Api) -> None:
    for place in range(3):
        ada.save(f"https://example.org/{place}", title="Twice Told" if place else "twice told")
    refresh(ada)
    assert [value.casefold() for value in values(ada, "title", "twice")] == ["twice told"]


def test_a_common_word_is_found_though_only_old_titles_hold_it(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestion_queries, "MOST_SORTED", 3)
    monkeypatch.setattr(suggestion_queries, "SCANNED", 5)
    for place in range(10):
        ada.save(f"https://example.org/{place}", title=f"{'an old' if place < 4 else 'a young'} title {place}")
    refresh(ada)
    assert values(ada, "title", "old") == [f"an old title {place}" for place in (3, 2, 1, 0)]
    assert values(ada, "title", "young") == [f"a young title {place}" for place in (9, 8, 7, 6, 5)]


def test_trash_is_never_suggested(library: Api) -> None:
    ids = {item["title"]: item["id"] for item in library.get("/bookmarks", page_size=100).json["items"]}
    gone = ids["Kubernetes the hard way"]
    library.delete(f"/bookmarks/{gone}")
    assert suggest(library, "kubernetes") == suggest(library, "kubernets") == []
    refresh(library)
    assert suggest(library, "kubernetes") == []
    library.post(f"/bookmarks/{gone}/restore")
    refresh(library)
    assert suggest(library, "kubern") == [("tag", "kubernetes"), ("title", "Kubernetes the hard way")]
    for id_ in ids.values():
        library.delete(f"/bookmarks/{id_}", permanent="true")
    assert suggest(library) == suggest(library, "example") == suggest(library, "machine") == []


def test_nothing_of_another_organization_is_suggested(library: Api, bob: Api) -> None:
    bob.save("https://bob.example.com/", title="machine of Bob", tags=["machine-of-bob"])
    refresh(bob)
    assert suggest(bob, "machine") == [("tag", "machine-of-bob"), ("title", "machine of Bob")]
    assert ("tag", "machine-of-bob") not in suggest(library, "machine")
    library.get("/search", q="kubernetes", mode="text")
    assert suggest(bob, "kubernetes") == suggest(bob, "kubernets") == suggest(bob, "k") == []
    assert suggest(bob) == [("tag", "machine-of-bob")]


def test_until_the_worker_comes_what_begins_so_is_found(ada: Api) -> None:
    ada.save("https://fresh.example.org/", title="Fresh from the press", tags=["fresh-tag"])
    assert suggest(ada, "fresh") == [
        ("tag", "fresh-tag"),
        ("title", "Fresh from the press"),
        ("domain", "fresh.example.org"),
    ]
    assert suggest(ada, "FRESH FROM") == [("title", "Fresh from the press")]


def test_a_new_title_takes_the_place_of_the_old_one(library: Api) -> None:
    [saved] = library.get("/bookmarks", q="kubernetes").json["items"]
    library.patch(f"/bookmarks/{saved['id']}", {"title": "Nomad the easy way", "tags": ["nomad"]})
    assert values(library, "title", "kubernetes") == []
    assert values(library, "tag", "kubernetes") == []
    refresh(library)
    assert values(library, "title", "way") == ["Nomad the easy way"]
    assert values(library, "title", "kubernetes") == []
    assert values(library, "tag", "noma") == ["nomad"]


def test_a_renamed_tag_is_suggested_by_its_new_name(library: Api) -> None:
    [tag] = library.get("/tags", q="kubernetes").json["items"]
    library.patch(f"/tags/{tag['id']}", {"name": "container-orchestration"})
    assert values(library, "tag", "kubernetes") == []
    assert values(library, "tag", "contain") == ["container-orchestration"]
    refresh(library)
    assert values(library, "tag", "orchest") == ["container-orchestration"]


def test_blank_gives_recent_searches_and_the_most_used_tags(library: Api) -> None:
    for q in ("haskell", "kubernetes", "nothing-of-this-name"):
        library.get("/search", q=q, mode="text")
    for q in ("", " \t\u3000"):
        found = suggest(library, q)
        assert found[:3] == [("recent", "kubernetes"), ("recent", "haskell"), ("tag", "machine-learning")]
        assert len(found) == 10
    assert library.get("/search/suggest").json["items"] == library.get("/search/suggest", q="").json["items"]


def test_recent_searches_come_first_and_not_twice_as_titles(library: Api) -> None:
    library.get("/search", q="KUBERNETES the hard way", mode="text")
    assert suggest(library, "kub") == [("recent", "KUBERNETES the hard way"), ("tag", "kubernetes")]


def test_only_the_first_page_of_what_was_found_is_remembered(library: Api, context: Flask) -> None:
    library.get("/search", q="haskell", mode="text", page=2)
    library.get("/search", q="zebra", mode="text")
    assert recent_searches(actor_of(library), "", 10) == []


def actor_of(api: Api) -> Actor:
    return Actor(api.user_id, api.organization_id, "owner")


def test_recent_searches_are_those_of_one_person_in_one_organization(ada: Api, bob: Api, context: Flask) -> None:
    store_search(actor_of(ada), "mine")
    assert recent_searches(actor_of(ada), "", 10) == ["mine"]
    assert recent_searches(actor_of(bob), "", 10) == []
    assert recent_searches(Actor(ada.user_id, bob.organization_id, "owner"), "", 10) == []


def test_what_was_typed_on_the_way_is_forgotten(ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(recent.time, "time", lambda: now)
    actor = actor_of(ada)
    for typed in ("mach", "machine", "machine  learning", "%", "%a"):
        now += 1
        store_search(actor, typed)
    assert recent_searches(actor, "", 10) == ["%a", "machine learning"]
    now += timedelta(minutes=2).total_seconds()
    store_search(actor, "machine learning with Python")
    assert recent_searches(actor, "", 10) == ["machine learning with Python", "%a", "machine learning"]
    assert recent_searches(actor, "MACHÍNE", 10) == ["machine learning with Python", "machine learning"]
    assert recent_searches(actor, "python ma", 10) == ["machine learning with Python"]


def test_fifty_recent_searches_are_kept_for_ninety_days(ada: Api, context: Flask) -> None:
    for number in range(60):
        store_search(actor_of(ada), f"number {number:02}")
    assert recent_searches(actor_of(ada), "", 100) == [f"number {number:02}" for number in range(59, 9, -1)]
    [key] = redis_client().keys("fuze:recent:*")
    assert 89 * 86400 < redis_client().ttl(key) <= 90 * 86400


def test_without_redis_the_rest_is_suggested(library: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(library.app.extensions, "resilient_redis", unreachable_gate())
    assert library.get("/search", q="kubernetes", mode="text").json["total"] == 1
    assert suggest(library, "kub") == [("tag", "kubernetes"), ("title", "Kubernetes the hard way")]
    assert len(suggest(library)) == 8


@pytest.mark.parametrize("q", ["x" * 201, "word " * 200, "a" * 1000])
def test_a_long_text_finds_nothing(library: Api, q: str) -> None:
    assert suggest(library, q) == []


def test_many_words_find_by_the_first_and_the_last(library: Api) -> None:
    words = "learn you a haskell for great good " * 4
    assert values(library, "title", words.strip()[:199]) == ["Learn you a Haskell for great good"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"q": "x" * 1001}, "q"), ({"q": "a\x00b"}, "q"), ({"q": ["x", "y"]}, "q"), ({"limit": "3"}, "limit")],
)
def test_a_bad_query_is_422(ada: Api, query: dict[str, Any], field: str) -> None:
    assert set(field_errors(ada.get("/search/suggest", **query))) == {f"query.{field}"}


@settings(max_examples=80, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=210))
def test_no_text_is_an_error(library: Api, q: str) -> None:
    suggest(library, q)


@pytest.mark.parametrize(
    "q",
    ["%", "_", "\\", "'", "{}", "{a,b}", "%s", ":x", "-", "a'b", "\U0010ffff", "\ud7ff", "a\U0010ffff", "🙂", "\x01"],
)
def test_signs_are_taken_as_they_are(ada: Api, q: str) -> None:
    ada.save("https://example.org/", title=f"{q} in a title", tags=["plain"])
    for _ in range(2):
        assert values(ada, "title", q) == ([f"{q} in a title"] if q.strip() else [])
        assert values(ada, "tag", q) == []
        refresh(ada)


def test_any_title_can_be_refreshed(ada: Api) -> None:
    strange = ["", "\\", '{"a"}', "a" * 2000, "字" * 500, "🙂🙂", "\x01\x02", "'; --", "İstanbul ß ﬁ", "a " * 900]
    items = [
        {"url": f"https://example.org/{place}", "title": title, "capture": False} for place, title in enumerate(strange)
    ]
    assert ada.post("/bookmarks/bulk", {"items": items}).json["created"] == len(items)
    refresh(ada)
    assert values(ada, "title", "istanbul ss") == ["İstanbul ß ﬁ"]
    assert values(ada, "title", "🙂") == ["🙂🙂"]
    assert len(values(ada, "title", "aaaaa")) == 1


def contents(api: Api) -> list[Any]:
    words = run(api, "SELECT organization_id, kind, word, uses, near FROM suggestion_words ORDER BY 1, 2, 3")
    rows = run(
        api,
        """SELECT organization_id, kind, value, rank, bookmark_id, tag_id,
                  ARRAY(SELECT word FROM suggestion_words w WHERE w.id = ANY(s.word_ids) ORDER BY 1) AS words
             FROM suggestions s ORDER BY 1, 2, 3""",
    )
    return [tuple(row) for row in (*words, *rows)]


def test_refreshing_twice_changes_nothing(library: Api) -> None:
    before = contents(library)
    assert len(before) > 40
    refresh(library)
    assert contents(library) == before
    run(library, "UPDATE suggestion_states SET refreshed_to = '1000-01-01Z'")
    refresh(library)
    assert contents(library) == before


def test_what_changed_is_refreshed_as_if_it_had_been_so_from_the_start(library: Api) -> None:
    ids = [item["id"] for item in library.get("/bookmarks", page_size=100).json["items"]]
    library.patch(f"/bookmarks/{ids[0]}", {"title": "A new name", "tags": ["new"]})
    library.delete(f"/bookmarks/{ids[1]}")
    library.delete(f"/bookmarks/{ids[2]}", permanent="true")
    library.save("https://added.example.org/", title="Added since", tags=["since"])
    refresh(library)
    step_by_step = contents(library)
    run(library, "TRUNCATE suggestions, suggestion_words, suggestion_states")
    refresh(library)
    known = {row[1:3] for row in contents(library)}
    # Tags that no live bookmark carries are kept, and never shown.
    assert known <= {row[1:3] for row in step_by_step}
    assert [row for row in step_by_step if row[1] == "title"] == [row for row in contents(library) if row[1] == "title"]


def test_batches_follow_each_other(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestion_refresh, "BATCH", 3)
    items = [{"url": f"https://example.org/{place}", "title": f"alpha{place}", "capture": False} for place in range(10)]
    ada.post("/bookmarks/bulk", {"items": items})
    # Rows of one moment are told apart by their ids.
    run(ada, "UPDATE bookmarks SET updated_at = now()")
    refresh(ada)
    assert [row.count for row in run(ada, "SELECT count(*) FROM suggestions WHERE kind = 'title'")] == [10]


def test_the_schedulers_pass_asks_for_a_refresh_only_where_something_changed(library: Api, context: Flask) -> None:
    run(library, "UPDATE bookmarks SET updated_at = now() - interval '1 hour'")
    refresh(library)
    assert due_organizations(10) == []
    redis_client().flushall()
    resend_due_suggestions()
    assert queue_depth() == 0
    library.save("https://example.org/new", title="new")
    redis_client().flushall()
    resend_due_suggestions()
    resend_due_suggestions()
    assert queue_depth() == 1


def fill(api: Api, number: int) -> None:
    items = [
        {"url": f"https://a{place}.example.org/", "title": f"apple number {place}", "tags": [f"apple{place % 50}"],
         "capture": False}
        for place in range(number)
    ]  # fmt: skip
    assert api.post("/bookmarks/bulk", {"items": items}).status_code == 200
    refresh(api)


@pytest.mark.parametrize("rows", [1, 300])
def test_a_suggestion_takes_three_statements_at_most(ada: Api, sql: SqlCounter, rows: int) -> None:
    """Who asks, which words, what holds them."""
    fill(ada, rows)
    for q in ("a", "apple", "apple num", "aple nubmer", "apple number 1", "%", "zebra"):
        with sql.at_most(3):
            suggest(ada, q)
    with sql.at_most(2):
        suggest(ada)


WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau"
MANY = """
    INSERT INTO bookmarks (organization_id, url, url_hash, domain, title, title_key, capture_status, created_at)
    SELECT :organization_id, 'https://h' || n % 4000 || '.example.org/' || n, sha256(n::text::bytea),
           'h' || n % 4000 || '.example.org', title, title, 'skipped', now() - n * interval '1 minute'
      FROM (SELECT n, 'common ' || (CAST(:words AS text[]))[1 + n % 19] || ' word' || n % 5000 || ' only' || n AS title
              FROM generate_series(1, 20000) AS n) AS made
"""
MANY_TAGS = """
    WITH made AS (
        INSERT INTO tags (organization_id, name, name_key)
        SELECT :organization_id, 'label' || n || '-' || (CAST(:words AS text[]))[1 + n % 19],
               'label' || n || '-' || (CAST(:words AS text[]))[1 + n % 19] FROM generate_series(1, 4000) AS n
        RETURNING id)
    INSERT INTO bookmark_tags (bookmark_id, tag_id)
    SELECT b.id, made.id FROM made JOIN bookmarks b ON b.id % 4000 = made.id % 4000
"""


@pytest.fixture
def statements(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is sent, with its values."""
    sent: list[tuple[str, Any]] = []

    def remember(*arguments: Any) -> None:
        sent.append((arguments[2], arguments[3]))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", remember)
    yield sent
    event.remove(engine, "before_cursor_execute", remember)


def test_no_big_table_is_read_from_end_to_end(ada: Api, statements: list[tuple[str, Any]]) -> None:
    for statement in (MANY, MANY_TAGS):
        run(ada, statement, organization_id=ada.organization_id, words=WORDS.split())
    refresh(ada)
    with ada.app.app_context(), db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    for q in ("", "c", "w", "common", "common al", "com", "only12", "only12345", "word7 the", "comon aplha", "label",
              "label7", "h17.ex", "lable12 nu", "example", "zebra", "%"):  # fmt: skip
        statements.clear()
        assert suggest(ada, q) or q in ("zebra", "%"), q
        sent = [one for one in statements if not one[0].startswith("EXPLAIN")]
        assert 1 <= len(sent) <= 3
        with ada.app.app_context(), db.engine.connect() as connection:
            for statement, given_values in sent:
                plan = connection.exec_driver_sql(f"EXPLAIN {statement}", given_values).scalars().all()
                scans = [line for line in plan if "Seq Scan on" in line]
                big = ("bookmarks", "tags", "bookmark_tags", "suggestions", "suggestion_words")
                assert not [line for line in scans if line.split("Seq Scan on ")[1].split()[0] in big], (q, plan)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("machine-learning", {"machine", "learning", "machinelearning"}),
        ("docs.github.com", {"docs", "github", "com", "docsgithubcom"}),
        ("L'Été ÉTÉ", {"l", "ete"}),
        ("学習", {"学習", "習"}),
        ("ＷＩＤＥ Straße", {"wide", "strasse"}),
        ("-- !", set()),
    ],
)
def test_words_are_folded_and_taken_apart(word: str, found: set[str]) -> None:
    assert set(words_in(word)) == found


def test_the_last_word_typed_is_a_prefix() -> None:
    assert typed_words("Machine Lea") == [("machine", False), ("lea", True)]
    assert typed_words("docs.gi") == [("docs", False), ("gi", True)]
    assert typed_words("機械学習 入") == [("機械学習", True), ("入", True)]
    assert typed_words(" - ") == []


LETTERS = st.text("abcd", min_size=5, max_size=9)


@given(LETTERS, st.integers(0, 8), st.sampled_from("abcdx"), st.sampled_from(["change", "add", "leave out", "swap"]))
def test_every_typo_of_one_letter_is_one_and_has_a_key_in_common(word: str, at: int, letter: str, how: str) -> None:
    at %= len(word)
    typed = {
        "change": word[:at] + letter + word[at + 1 :],
        "add": word[:at] + letter + word[at:],
        "leave out": word[:at] + word[at + 1 :],
        "swap": word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    }[how]
    assert typed == word or is_one_typo(typed, word, as_prefix=False)
    assert set(near_keys(1, "tag", typed)) & set(near_keys(1, "tag", word))
    assert set(near_keys(1, "tag", typed)) & set(near_keys(1, "tag", word + "more"))
    assert not set(near_keys(1, "tag", typed)) & set(near_keys(2, "tag", word))


@pytest.mark.parametrize(("typed", "word"), [("abcd", "badc"), ("abcd", "axyd"), ("abcdef", "abcd"), ("abd", "abe")])
def test_more_is_not_a_typo(typed: str, word: str) -> None:
    assert not is_one_typo(typed, word, as_prefix=False)
