"""Two organizations and somebody who belongs to both read and write at random, side by side (R-AUTH 4, R-CACHE 2).

A model in memory says what each answer must be; each answer is compared. Within one organization one request follows
the other, so that the model is exact; the two organizations, which use the same links, words and tags, run in parallel
and share every cache there is. Some reads carry an ETag of the same address that anybody was given: 304 then stands
for the body that came with it, which is compared like any other.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.organizations.teams import make_team, settle, write
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
STEPS = 130
CLIENTS_EACH = 2
URLS = [f"https://example.org/{number}" for number in range(25)]
WORDS = ["walrus", "heron", "badger", "lynx"]
TAGS = ["red", "green", "blue"]
FLAGS = ["is_read", "is_favorite", "is_archived"]
ACTIONS = {
    **{"read": ("is_read", True), "unread": ("is_read", False)},
    **{"favorite": ("is_favorite", True), "unfavorite": ("is_favorite", False)},
    **{"archive": ("is_archived", True), "unarchive": ("is_archived", False)},
}

Bookmark = dict[str, Any]
# The body of every answer with an ETag, by address, whoever got it.
Seen = dict[str, dict[str, Any]]


@dataclass
class Shelf:
    """What an organization must hold: bookmarks by id, the oldest first."""

    organization_id: int
    bookmarks: dict[int, Bookmark] = field(default_factory=dict)
    ids_ever: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def newest_first(self, **wanted: Any) -> list[Bookmark]:
        """Those whose fields are as wanted; `tag` and `word` look into tags and title."""
        tag, word = wanted.pop("tag", None), wanted.pop("word", None)
        return [
            one
            for one in reversed(self.bookmarks.values())
            if all(one[name] == value for name, value in wanted.items())
            and (tag is None or tag in one["tags"])
            and (word is None or word in one["title"])
        ]

    def by_url(self, url: str) -> Bookmark | None:
        return next((one for one in self.bookmarks.values() if one["url"] == url), None)

    def tag_counts(self) -> Counter[str]:
        return Counter(tag for one in self.bookmarks.values() for tag in one["tags"])


@dataclass
class Member:
    """Somebody at work in an organization; `foreign` is the other one."""

    api: Api
    shelf: Shelf
    foreign: Shelf
    chance: random.Random
    seen: Seen

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        headers = {"X-Organization-ID": str(self.shelf.organization_id), **headers}
        return self.api.request(method, path, json=body, headers=headers)

    def read(self, path: str) -> tuple[int, Any]:
        """Status and body of a GET; a 304 counts as the 200 whose ETag was sent along."""
        known = list(self.seen.get(path, {}))
        tag = self.chance.choice(known) if known and self.chance.random() < 0.5 else None
        answer = self.ask("GET", path, **({"If-None-Match": tag} if tag else {}))
        if answer.status_code == 304:
            assert tag is not None
            return 200, self.seen[path][tag]
        if answer.status_code == 200 and "ETag" in answer.headers:
            self.seen.setdefault(path, {})[answer.headers["ETag"]] = answer.json
        return answer.status_code, answer.json

    def some_id(self) -> int:
        """Mostly of this organization, now and then of the other one."""
        pool = self.foreign.ids_ever if self.chance.random() < 0.2 else self.shelf.ids_ever
        return self.chance.choice(pool or [1])


def read_item(member: Member) -> None:
    id_ = member.some_id()
    status, body = member.read(f"/bookmarks/{id_}")
    expected = member.shelf.bookmarks.get(id_)
    assert (status, shown(body)) == ((200, expected) if expected else (404, None))


def read_list(member: Member) -> None:
    flag, wanted = member.chance.choice(FLAGS), member.chance.random() < 0.5
    filters: list[tuple[str, dict[str, Any]]] = [
        ("", {"is_archived": False}),
        ("&is_archived=any", {}),
        (f"&{flag}={str(wanted).lower()}", {"is_archived": False, flag: wanted}),
        *((f"&tag={tag}", {"is_archived": False, "tag": tag}) for tag in TAGS),
    ]
    text, conditions = member.chance.choice(filters)
    size, page = member.chance.choice([5, 100]), member.chance.choice([1, 1, 2])
    status, body = member.read(f"/bookmarks?page_size={size}&page={page}{text}")
    expected = member.shelf.newest_first(**conditions)
    assert status == 200
    assert body["total"] == len(expected)
    assert list(map(shown, body["items"])) == expected[(page - 1) * size : page * size]


def read_tags(member: Member) -> None:
    status, body = member.read("/tags?page_size=100")
    assert status == 200
    assert {tag["name"]: tag["bookmark_count"] for tag in body["items"] if tag["bookmark_count"]} == dict(
        member.shelf.tag_counts()
    )


def look_up(member: Member) -> None:
    url = member.chance.choice(URLS)
    status, body = member.read(f"/bookmarks/lookup?url={url}")
    expected = member.shelf.by_url(url)
    assert (status, shown(body)) == ((200, expected) if expected else (404, None))


def search(member: Member) -> None:
    word = member.chance.choice(WORDS)
    status, body = member.read(f"/search?q={word}&mode=text&page_size=100")
    expected = member.shelf.newest_first(word=word, is_archived=False)
    found = {item["bookmark"]["id"]: shown(item["bookmark"]) for item in body["items"]}
    assert status == 200
    assert found == {one["id"]: one for one in expected}


def look_into_the_other(member: Member) -> None:
    """Who belongs to both sees the other's; to anybody else it is not there."""
    status = member.ask("GET", "/bookmarks", **{"X-Organization-ID": str(member.foreign.organization_id)}).status_code
    assert status == (200 if member.api.session["user"]["username"] == "carol" else 404)


def save(member: Member) -> None:
    url, title = member.chance.choice(URLS), " ".join(member.chance.sample(WORDS, 2))
    tags = member.chance.sample(TAGS, member.chance.randint(0, 2))
    body = {"url": url, "title": title, "tags": tags, "capture": False}
    there = member.shelf.by_url(url)
    answer = member.ask("POST", "/bookmarks?on_duplicate=keep", body)
    assert answer.status_code == (200 if there else 201)
    saved = shown(answer.json)
    if there is None:
        there = {**dict.fromkeys(FLAGS, False), "id": saved["id"], "url": url, "title": title, "tags": sorted(tags)}
        member.shelf.bookmarks[saved["id"]] = there
        member.shelf.ids_ever.append(saved["id"])
    assert saved == there


def save_many(member: Member) -> None:
    free = [url for url in URLS if member.shelf.by_url(url) is None][:3]
    answer = member.ask("POST", "/bookmarks/bulk", {"items": [{"url": url, "capture": False} for url in free]})
    assert answer.status_code == 200
    for url, result in zip(free, answer.json["results"], strict=True):
        id_ = result["id"]
        member.shelf.bookmarks[id_] = {**dict.fromkeys(FLAGS, False), "id": id_, "url": url, "title": "", "tags": []}
        member.shelf.ids_ever.append(id_)


def change(member: Member) -> None:
    id_, flag = member.some_id(), member.chance.choice(FLAGS)
    patch = {
        "title": " ".join(member.chance.sample(WORDS, 2)),
        "tags": sorted(member.chance.sample(TAGS, 1)),
        flag: member.chance.random() < 0.5,
    }
    answer = member.ask("PATCH", f"/bookmarks/{id_}", patch)
    there = member.shelf.bookmarks.get(id_)
    assert answer.status_code == (200 if there else 404)
    if there:
        there |= patch
        assert shown(answer.json) == there


def act(member: Member) -> None:
    ids = [member.some_id() for _ in range(4)]
    action = member.chance.choice(list(ACTIONS))
    name, value = ACTIONS[action]
    assert member.ask("POST", "/bookmarks/actions", {"ids": ids, "action": action}).status_code == 200
    for id_ in ids:
        if id_ in member.shelf.bookmarks:
            member.shelf.bookmarks[id_][name] = value


def delete(member: Member) -> None:
    id_ = member.some_id()
    answer = member.ask("DELETE", f"/bookmarks/{id_}?permanent=true")
    assert answer.status_code == (204 if member.shelf.bookmarks.pop(id_, None) else 404)


def delete_tag(member: Member) -> None:
    """A tag disappears from all bookmarks of the organization, and from nobody else's."""
    found = member.ask("GET", "/tags?page_size=100").json["items"]
    if not found:
        return
    tag = member.chance.choice(found)
    assert member.ask("DELETE", f"/tags/{tag['id']}").status_code == 204
    for one in member.shelf.bookmarks.values():
        one["tags"] = [name for name in one["tags"] if name != tag["name"]]


def shown(body: Any) -> Bookmark | None:
    """What the model knows of a bookmark; nothing, of a problem."""
    if "url" not in body:
        return None
    return {**{name: body[name] for name in ("id", "url", "title", *FLAGS)}, "tags": sorted(body["tags"])}


# Reads are most of it, so that answers are asked for again between two writes.
STEPS_BY_WEIGHT: dict[Callable[[Member], None], int] = {
    **{read_item: 14, read_list: 30, read_tags: 10, look_up: 10, search: 8, look_into_the_other: 3},
    **{save: 12, save_many: 1, change: 7, act: 3, delete: 3, delete_tag: 1},
}


def test_no_answer_of_one_organization_is_ever_that_of_another(ada: Api, bob: Api, person: Callable[..., Api]) -> None:
    carol = person("carol")
    shelves = [Shelf(make_team(owner)) for owner in (ada, bob)]
    for owner, shelf in zip((ada, bob), shelves, strict=True):
        insert = "INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, 'editor')"
        write(owner, insert, user=carol.user_id, team=shelf.organization_id)
    settle(ada, bob, carol)
    seen: Seen = {}

    def work(api: Api, places: list[int], seed: int) -> Counter[str]:
        chance, done = random.Random(seed), Counter[str]()
        for _ in range(STEPS):
            place = chance.choice(places)
            client = Api(api.app, session=api.session)
            member = Member(client, shelves[place], shelves[1 - place], chance, seen)
            step = chance.choices(list(STEPS_BY_WEIGHT), weights=list(STEPS_BY_WEIGHT.values()))[0]
            with member.shelf.lock:
                step(member)
            done[step.__name__] += 1
        return done

    jobs = [(api, places) for api, places in ((ada, [0]), (bob, [1]), (carol, [0, 1])) for _ in range(CLIENTS_EACH)]
    with ThreadPoolExecutor(len(jobs)) as pool:
        counts = list(pool.map(lambda job: work(*job[1], seed=job[0]), enumerate(jobs)))

    assert set(sum(counts, Counter[str]())) == {step.__name__ for step in STEPS_BY_WEIGHT}
    for api, place in ((ada, 0), (bob, 1), (carol, 0), (carol, 1)):
        member = Member(api, shelves[place], shelves[1 - place], random.Random(0), {})
        status, body = member.read("/bookmarks?page_size=100&is_archived=any")
        assert (status, list(map(shown, body["items"]))) == (200, shelves[place].newest_first())
    for api in (ada, bob, carol):
        assert api.get("/bookmarks", is_archived="any").json["total"] == 0, "personal organizations were left alone"
