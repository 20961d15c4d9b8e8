"""Whose page is read next: turns by person and host, leases, and a cost that does not grow with what waits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.capture.extract.indexed_page import read_page
from backend.capture.extract.reading import IndexedPage
from backend.capture.fetch import FetchedPage
from backend.capture.service import store_outcome
from backend.capture.turns import SQL, Claim, count_due_captures, is_capture_due, release_claims, renew_leases
from backend.extensions import db
from backend.outbound.failures import FetchError
from tests.capture.waiting import PLACES, add_waiting, claim
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
HTML = FetchedPage("https://example.org/", 200, "text/html", None, b"<title>A page</title><p>Some words.</p>", False)


def run(statement: str, **values: Any) -> Any:
    found = db.session.execute(text(statement), values)
    rows = found.all() if found.returns_rows else []  # type: ignore[attr-defined]
    db.session.commit()
    return rows


def end(claims: list[Claim]) -> None:
    """These have been read."""
    for one in claims:
        assert store_outcome(one, FetchError("gone")).status == "failed"


def hosts(number: int, name: str = "site") -> list[str]:
    return [f"{name}{place:05}.example" for place in range(number)]


def test_one_person_alone_has_more_than_their_turn_and_leaves_places_to_others(ada: Api, context: Flask) -> None:
    add_waiting(ada, hosts(30))
    assert len(claim()) == PLACES.alone
    assert claim(replace(PLACES, free=2), {ada.user_id: PLACES.alone}) == []


def test_nobody_has_more_than_two_while_others_wait(ada: Api, bob: Api, context: Flask) -> None:
    add_waiting(ada, hosts(30))
    add_waiting(bob, hosts(30, "other"))
    first = claim()
    assert Counter(one.person for one in first) == {ada.user_id: 2, bob.user_id: 2}
    assert claim() == []
    end([one for one in first if one.person == bob.user_id])
    assert [one.person for one in claim()] == [bob.user_id] * 2


def test_who_comes_later_is_next_whatever_waits_before_them(ada: Api, bob: Api, context: Flask) -> None:
    add_waiting(ada, hosts(1_000))
    taken = claim()
    late = add_waiting(bob, ["late.example"])
    assert [one.bookmark_id for one in claim(replace(PLACES, free=2), {ada.user_id: len(taken)})] == late
    assert claim(replace(PLACES, free=1), {ada.user_id: len(taken), bob.user_id: 1}) == []


def test_a_person_who_has_left_gives_their_turns_to_the_organization(ada: Api, bob: Api, context: Flask) -> None:
    add_waiting(ada, hosts(5))
    run("UPDATE bookmarks SET user_id = NULL")
    add_waiting(bob, hosts(5, "other"))
    assert Counter(one.person for one in claim()) == {-ada.organization_id: 2, bob.user_id: 2}


def test_a_host_is_asked_for_two_pages_at_once_by_all_together(ada: Api, bob: Api, context: Flask) -> None:
    add_waiting(ada, ["shared.example"] * 5)
    add_waiting(bob, ["shared.example"] * 5)
    taken = claim()
    assert [one.host for one in taken] == ["shared.example"] * 2
    assert {one.person for one in taken} == {ada.user_id, bob.user_id}
    assert claim() == []
    end(taken[:1])
    assert len(claim()) == 1


def test_a_host_that_is_full_holds_up_no_other(ada: Api, context: Flask) -> None:
    add_waiting(ada, ["a.example"] * 500 + hosts(3, "z"))
    assert Counter(one.host for one in claim()) == {"a.example": 2, **dict.fromkeys(hosts(3, "z"), 1)}


def test_a_host_that_a_redirect_has_filled_has_no_place(ada: Api, context: Flask) -> None:
    add_waiting(ada, ["a.example", "b.example"])
    assert [one.host for one in claim(busy=["a.example"])] == ["b.example"]


def test_what_a_person_waits_for_comes_before_their_own_import(ada: Api, context: Flask) -> None:
    add_waiting(ada, hosts(50))
    single = add_waiting(ada, ["zzz.example"], priority=1)
    assert [one.bookmark_id for one in claim(replace(PLACES, free=1))] == single


def test_a_link_saved_alone_is_urgent_and_those_of_an_import_are_not(ada: Api, context: Flask) -> None:
    ada.save("https://alone.example/", capture=True)
    ada.post("/bookmarks/bulk", {"items": [{"url": url} for url in ("https://a.example/", "https://b.example/")]})
    rows = run("SELECT url, capture_priority FROM bookmarks ORDER BY url")
    assert [row.capture_priority for row in rows] == [0, 1, 0]
    assert ada.post("/bookmarks/actions", {"action": "capture", "filter": {}}).json["affected"] == 3
    assert {row.capture_priority for row in run("SELECT capture_priority FROM bookmarks")} == {0}
    again = ada.get("/bookmarks").json["items"][0]["id"]
    ada.post(f"/bookmarks/{again}/capture")
    assert [row.id for row in run("SELECT id FROM bookmarks WHERE capture_priority = 1")] == [again]


def test_the_round_goes_on_behind_whoever_had_the_last_turn(person: Callable[..., Api], context: Flask) -> None:
    people = [person() for _ in range(5)]
    for one in people:
        add_waiting(one, hosts(20, f"of{one.user_id}x"))
    order, after = [], 0
    for _ in range(10):
        [taken] = claim(replace(PLACES, free=1), after=after)
        after = taken.person
        order.append(taken.person)
        end([taken])
    assert order == sorted(one.user_id for one in people) * 2


@pytest.mark.parametrize("seed", range(6))
def test_whatever_waits_no_bound_is_ever_passed_and_everything_has_its_turn(
    person: Callable[..., Api], context: Flask, seed: int
) -> None:
    chance = random.Random(seed)
    people = [person() for _ in range(chance.randint(1, 6))]
    shared = hosts(chance.randint(1, 8), "shared")
    waiting = set()
    for one in people:
        own = shared + hosts(chance.randint(0, 8), f"own{one.user_id}x")
        for priority in (0, 1):
            waiting |= set(add_waiting(one, chance.choices(own, k=chance.randint(0, 15)), priority=priority))
    running: list[Claim] = []
    after = 0
    while waiting or running:
        places = replace(PLACES, free=chance.randint(1, 6))
        before = Counter(one.person for one in running)
        taken = claim(places, dict(before), after=after)
        assert len(taken) <= places.free
        running += taken
        assert max(Counter(one.host for one in running).values(), default=0) <= places.per_host
        of_person = Counter(one.person for one in taken)
        for who, number in of_person.items():
            allowed = places.per_person if len(of_person) > 1 else places.alone
            assert before[who] + number <= allowed
        assert taken or running, "nothing is read and something waits"
        assert {one.bookmark_id for one in taken} <= waiting
        waiting -= {one.bookmark_id for one in taken}
        after = taken[-1].person if taken else after
        done = chance.sample(running, k=chance.randint(0 if taken else 1, len(running)))
        end(done)
        running = [one for one in running if one not in done]
    assert not is_capture_due()


def test_two_processes_that_claim_at_once_pass_no_bound(ada: Api, bob: Api, context: Flask) -> None:
    add_waiting(ada, ["shared.example"] * 3 + hosts(10))
    add_waiting(bob, ["shared.example"] * 3 + hosts(10, "other"))

    def look(_: int) -> list[Claim]:
        with context.app_context():
            return list(claim())

    with ThreadPoolExecutor(6) as pool:
        taken = [one for found in pool.map(look, range(12)) for one in found]
    assert len({one.bookmark_id for one in taken}) == len(taken) == 4
    assert Counter(one.host for one in taken)["shared.example"] <= 2
    assert Counter(one.person for one in taken) == {ada.user_id: 2, bob.user_id: 2}


def test_a_bookmark_that_somebody_is_changing_has_its_turn_later(ada: Api, context: Flask) -> None:
    ids = add_waiting(ada, hosts(2))
    with db.engine.connect() as other:
        other.execute(text("SELECT 1 FROM bookmarks WHERE id = :id FOR UPDATE"), {"id": ids[0]})
        assert [one.bookmark_id for one in claim()] == ids[1:]
    assert [one.bookmark_id for one in claim()] == ids[:1]


def test_a_claim_that_is_renewed_stays_and_one_that_is_not_is_lost(ada: Api, context: Flask) -> None:
    add_waiting(ada, hosts(2))
    kept, lost = claim()
    run("UPDATE bookmarks SET capture_due_at = now() - interval '1 second'")
    renew_leases([kept])
    [again] = claim()
    assert [again.bookmark_id, again.attempt] == [lost.bookmark_id, 2]
    assert store_outcome(lost, read_page(HTML, None)).status == "gone"
    assert store_outcome(kept, read_page(HTML, None)).status == "captured"
    assert store_outcome(again, read_page(HTML, None)).status == "captured"


def test_what_is_handed_back_was_never_tried(ada: Api, context: Flask) -> None:
    [id_] = add_waiting(ada, hosts(1))
    [first] = claim()
    assert release_claims([first]) == 1
    assert release_claims([first]) == 0
    [second] = claim()
    assert [second.attempt, count_due_captures()] == [1, 0]
    assert store_outcome(first, read_page(HTML, None)).status == "gone"
    assert release_claims([second], wait_seconds=60, host="target.example") == 1
    assert claim() == []
    run("UPDATE bookmarks SET capture_due_at = now()")
    assert [one.host for one in claim()] == ["target.example"]
    assert ada.get(f"/bookmarks/{id_}").json["domain"] == "site00000.example"


def test_nothing_is_stored_of_an_address_that_is_no_longer_the_bookmarks(ada: Api, context: Flask) -> None:
    saved = ada.save("https://before.example/", capture=True)
    [taken] = claim()
    assert ada.patch(f"/bookmarks/{saved['id']}", {"url": "https://after.example/"}).status_code == 200
    reading = read_page(HTML, None)
    assert isinstance(reading, IndexedPage)
    assert store_outcome(taken, reading).status == "gone"
    assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == ""
    [again] = claim()
    assert [again.url, again.attempt] == ["https://after.example/", 1]
    assert store_outcome(again, reading).status == "captured"


def test_asking_anew_takes_a_capture_from_whoever_reads(ada: Api, context: Flask) -> None:
    saved = ada.save("https://again.example/", capture=True)
    [taken] = claim()
    ada.post(f"/bookmarks/{saved['id']}/capture")
    assert store_outcome(taken, FetchError("too late")).status == "gone"
    [again] = claim()
    assert [again.bookmark_id, again.attempt] == [saved["id"], 1]


def test_what_is_in_the_trash_or_waits_for_its_time_has_no_turn(ada: Api, context: Flask) -> None:
    ids = add_waiting(ada, hosts(3))
    run("UPDATE bookmarks SET deleted_at = now() WHERE id = :id", id=ids[0])
    run("UPDATE bookmarks SET capture_due_at = now() + interval '1 minute' WHERE id = :id", id=ids[1])
    assert count_due_captures() == 1
    assert [one.bookmark_id for one in claim()] == ids[2:]


def blocks_touched() -> int:
    """How many blocks of 8 kB a claim looks at; nothing is claimed."""
    run("ANALYZE bookmarks")
    values = {**vars(PLACES), "people": [], "numbers": [], "busy": [], "after": 0, "lease": 60}
    [[plan]] = db.session.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {SQL['claim'].text}"), values)
    db.session.rollback()
    found = plan[0]["Plan"]
    return int(found["Shared Hit Blocks"] + found["Shared Read Blocks"])


def test_a_claim_costs_no_more_for_all_that_waits_behind_it(ada: Api, bob: Api, context: Flask) -> None:
    add_waiting(bob, hosts(20, "other"))
    add_waiting(ada, [f"site{place % 50:05}.example" for place in range(500)])
    few = blocks_touched()
    add_waiting(ada, [f"more{place % 5_000:05}.example" for place in range(20_000)])
    run("UPDATE bookmarks SET capture_due_at = now() + interval '1 hour' WHERE domain LIKE 'more%' AND id % 4 = 0")
    assert blocks_touched() < 2 * few + 200
