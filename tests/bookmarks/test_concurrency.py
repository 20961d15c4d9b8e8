"""Many clients at once: one row where one is meant, no refusal where none is due, nothing lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from werkzeug.test import TestResponse

from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
T = TypeVar("T")


def at_once(api: Api, calls: Sequence[Callable[[Api], T]]) -> list[T]:
    """The answers to calls that run side by side, each with a client of its own for the same person."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(Api(api.app, session=api.session)), calls))


def statuses(answers: Sequence[TestResponse]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_of_thirty_who_save_one_link_one_creates_it(ada: Api) -> None:
    spellings = ["https://example.org/a", "http://www.example.org/a/", "HTTPS://EXAMPLE.org/a?utm_source=x#y"]
    calls = [
        lambda api, place=place: api.post(
            "/bookmarks", {"url": spellings[place % 3], "tags": ["shared", f"own{place}"], "notes": "n"}
        )
        for place in range(30)
    ]
    answers = at_once(ada, calls)
    assert statuses(answers) == {201: 1, 200: 29}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert ada.get("/bookmarks").json["total"] == 1
    saved = ada.get("/bookmarks").json["items"][0]
    assert sorted(saved["tags"]) == sorted(["shared", *(f"own{place}" for place in range(30))])
    assert ada.get("/tags").json["total"] == 31


@pytest.mark.parametrize("policy", ["keep", "error"])
def test_of_many_with_another_policy_one_creates_it_too(ada: Api, policy: str) -> None:
    body = {"url": "https://example.org/a", "tags": ["t"]}
    answers = at_once(ada, [lambda api: api.post(f"/bookmarks?on_duplicate={policy}", body)] * 12)
    assert statuses(answers) == {201: 1, 200 if policy == "keep" else 409: 11}
    created = next(answer.json["id"] for answer in answers if answer.status_code == 201)
    assert {answer.json.get("existing_id", answer.json.get("id")) for answer in answers} == {created}


def test_creates_with_the_same_new_tags_in_any_order_all_succeed(ada: Api) -> None:
    names = [f"tag{number}" for number in range(12)]

    def create(api: Api, place: int) -> TestResponse:
        rng = random.Random(place)
        tags = [rng.choice([name, name.upper()]) for name in rng.sample(names, 8)]
        return api.post("/bookmarks", {"url": f"https://example.org/{place}", "tags": tags})

    answers = at_once(ada, [lambda api, place=place: create(api, place) for place in range(15)])
    assert statuses(answers) == {201: 15}
    assert all(len(answer.json["tags"]) == 8 for answer in answers)
    assert ada.get("/tags").json["total"] == len({tag.lower() for answer in answers for tag in answer.json["tags"]})


def test_bulks_with_the_same_links_in_any_order_all_succeed_and_each_link_is_created_once(ada: Api) -> None:
    urls = [f"https://example.org/{number}" for number in range(80)]

    def bulk(api: Api, place: int) -> dict[str, Any]:
        rng = random.Random(place)
        items = [{"url": url, "tags": rng.sample("abcdefghij", 3)} for url in rng.sample(urls, 60)]
        answer = api.post("/bookmarks/bulk", {"items": items})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        body: dict[str, Any] = answer.json
        return body

    answers = at_once(ada, [lambda api, place=place: bulk(api, place) for place in range(12)])
    total = ada.get("/bookmarks").json["total"]
    assert sum(answer["created"] for answer in answers) == total == 80
    assert all(answer["created"] + answer["duplicates"] == 60 for answer in answers)
    assert ada.get("/tags").json["total"] == 10


def test_all_kinds_of_writers_get_along(ada: Api) -> None:
    """Creates, bulks, changes, actions, tag surgery, the trash: no 5xx, and afterwards no trace of a half change."""
    urls = [f"https://example.org/{number}" for number in range(30)]
    names = [f"t{number}" for number in range(8)]

    def items(rng: random.Random, number: int) -> list[dict[str, Any]]:
        return [{"url": url, "tags": rng.sample(names, 3), "capture": False} for url in rng.sample(urls, number)]

    def some_id(api: Api, rng: random.Random, path: str, **query: Any) -> int:
        found = api.get(path, page_size=100, **query).json["items"]
        return int(rng.choice(found)["id"]) if found else 1

    kinds: list[Callable[[Api, random.Random], TestResponse]] = [
        lambda api, rng: api.post("/bookmarks", items(rng, 1)[0]),
        lambda api, rng: api.post("/bookmarks/bulk", {"items": items(rng, 20)}),
        lambda api, rng: api.patch(f"/bookmarks/{some_id(api, rng, '/bookmarks')}", {"tags": rng.sample(names, 4)}),
        lambda api, rng: api.post(
            "/bookmarks/actions",
            {"action": rng.choice(["add_tags", "remove_tags"]), "tags": rng.sample(names, 3), "filter": {}},
        ),
        lambda api, rng: api.post("/bookmarks/actions", {"action": rng.choice(["read", "unread"]), "filter": {}}),
        lambda api, rng: api.patch(f"/tags/{some_id(api, rng, '/tags')}", {"name": rng.choice(names)}),
        lambda api, rng: api.post(f"/tags/{some_id(api, rng, '/tags')}/merge", {"into_id": some_id(api, rng, "/tags")}),
        lambda api, rng: api.delete(f"/tags/{some_id(api, rng, '/tags')}"),
        lambda api, rng: api.delete(f"/bookmarks/{some_id(api, rng, '/bookmarks')}"),
        lambda api, rng: api.post(f"/bookmarks/{some_id(api, rng, '/bookmarks', deleted='true')}/restore"),
    ]

    def work(api: Api, seed: int) -> list[tuple[int, int]]:
        rng = random.Random(seed)
        ends = []
        for _ in range(10):
            kind = rng.randrange(len(kinds))
            ends.append((kind, kinds[kind](api, rng).status_code))
        return ends

    ada.post("/bookmarks/bulk", {"items": items(random.Random(0), 30)})
    ends = [end for each in at_once(ada, [lambda api, seed=seed: work(api, seed) for seed in range(8)]) for end in each]
    refused = {(kind, status) for kind, status in ends if status not in (200, 201, 204)}
    # Not there any more; a name or link that is taken; a tag merged into itself or into one that is gone.
    assert refused <= {(2, 404), (5, 404), (5, 409), (6, 404), (6, 422), (7, 404), (8, 404), (9, 404), (9, 409)}
    for name in names:
        tagged, found = (ada.get("/bookmarks", page_size=100, **{filter_: name}).json for filter_ in ("tag", "q"))
        assert [item["id"] for item in tagged["items"]] == [item["id"] for item in found["items"]]


def test_two_changes_of_tags_leave_those_of_one_of_them(ada: Api) -> None:
    saved = ada.save("https://example.org/a", tags=["old"])
    wanted = [[f"{place}-{number}" for number in range(5)] for place in range(10)]
    calls = [lambda api, tags=tags: api.patch(f"/bookmarks/{saved['id']}", {"tags": tags}) for tags in wanted]
    assert statuses(at_once(ada, calls)) == {200: 10}
    assert ada.get(f"/bookmarks/{saved['id']}").json["tags"] in wanted


def test_of_many_who_take_one_new_url_one_gets_it_and_the_others_hear_who(ada: Api) -> None:
    saved = [ada.save(f"https://example.org/{place}") for place in range(8)]
    calls = [
        lambda api, id_=bookmark["id"]: api.patch(f"/bookmarks/{id_}", {"url": "https://example.org/new"})
        for bookmark in saved
    ]
    answers = at_once(ada, calls)
    assert statuses(answers) == {200: 1, 409: 7}
    winner = next(answer.json["id"] for answer in answers if answer.status_code == 200)
    assert {answer.json["existing_id"] for answer in answers if answer.status_code == 409} == {winner}


def test_of_many_who_take_one_tag_name_one_gets_it_and_the_others_hear_who(ada: Api) -> None:
    ada.save("https://example.org/a", tags=[str(place) for place in range(8)])
    ids = [tag["id"] for tag in ada.get("/tags").json["items"]]
    answers = at_once(ada, [lambda api, id_=id_: api.patch(f"/tags/{id_}", {"name": "New"}) for id_ in ids])
    assert statuses(answers) == {200: 1, 409: 7}
    winner = next(answer.json["id"] for answer in answers if answer.status_code == 200)
    assert {answer.json["existing_id"] for answer in answers if answer.status_code == 409} == {winner}


def test_of_many_who_restore_twins_one_succeeds(ada: Api) -> None:
    trash = []
    for _ in range(6):
        trash.append(ada.save("https://example.org/a")["id"])
        ada.delete(f"/bookmarks/{trash[-1]}")
    answers = at_once(ada, [lambda api, id_=id_: api.post(f"/bookmarks/{id_}/restore") for id_ in trash])
    assert statuses(answers) == {200: 1, 409: 5}
    assert ada.get("/bookmarks").json["total"] == 1


def test_deleting_and_saving_one_link_side_by_side_never_fails(ada: Api) -> None:
    def save(api: Api) -> TestResponse:
        return api.post("/bookmarks", {"url": "https://example.org/a", "tags": ["t"]})

    def delete(api: Api) -> TestResponse:
        found = api.get("/bookmarks/lookup", url="https://example.org/a")
        return api.delete(f"/bookmarks/{found.json['id'] if found.status_code == 200 else 1}", permanent="true")

    answers = at_once(ada, [save, delete] * 12)
    assert set(statuses(answers)) <= {200, 201, 204, 404}
    assert ada.get("/bookmarks").json["total"] in (0, 1)
