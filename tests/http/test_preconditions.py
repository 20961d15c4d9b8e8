"""ETag, If-None-Match, If-Match (API.md, Conventions): what has changed meanwhile is not overwritten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.bookmarks import service
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def write(api: Api, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.request(method, path, json=body, headers=given)


def etag(api: Api, path: str) -> str:
    return api.get(path).headers["ETag"]


def test_every_read_of_json_has_a_strong_etag_and_is_private(ada: Api) -> None:
    saved = ada.save("https://example.org/")
    job = ada.post(f"/bookmarks/{saved['id']}/capture").json["id"]
    for path in (
        "/bookmarks",
        f"/bookmarks/{saved['id']}",
        "/tags",
        "/jobs",
        f"/jobs/{job}",
        "/auth/sessions",
        "/profile",
    ):
        first = ada.get(path)
        assert first.headers["ETag"].startswith('"')
        assert first.headers["Cache-Control"] == "private, no-cache"
        vary = {part.strip() for part in first.headers["Vary"].split(",")}
        assert vary >= {"Authorization", "X-Organization-ID", "Accept-Encoding", "Origin"}
        for known in (first.headers["ETag"], f"W/{first.headers['ETag']}", '"x", ' + first.headers["ETag"], "*"):
            again = write(ada, "GET", path, If_None_Match=known)
            assert (again.status_code, again.data) == (304, b""), path
        assert write(ada, "GET", path, If_None_Match='"other"').status_code == 200


def test_how_long_a_search_took_is_no_part_of_its_etag(ada: Api) -> None:
    saved = ada.save("https://example.org/", title="zebra", description='"took_ms":1')
    path = "/search?q=zebra&mode=text"
    first, again = (ada.request("GET", path) for _ in range(2))
    assert first.headers["ETag"].startswith('W/"')
    assert first.headers["ETag"] == again.headers["ETag"]
    for encoding in ("identity", "gzip"):
        same = write(ada, "GET", path, If_None_Match=first.headers["ETag"], Accept_Encoding=encoding)
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    ada.patch(f"/bookmarks/{saved['id']}", {"description": '"took_ms":2'})
    changed = write(ada, "GET", path, If_None_Match=first.headers["ETag"])
    assert (changed.status_code, changed.json["items"][0]["bookmark"]["description"]) == (200, '"took_ms":2')


def test_answers_with_secrets_are_not_stored(ada: Api, anonymous: Api) -> None:
    made = ada.post("/auth/tokens", {"name": "t", "scopes": ["*:read"]})
    refreshed = anonymous.post("/auth/refresh", {"refresh_token": ada.session["refresh_token"]})
    for answer in (made, refreshed):
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("encoding", ["br", "gzip", "zstd"])
def test_each_encoding_has_an_etag_of_its_own_and_all_are_understood(ada: Api, encoding: str) -> None:
    saved = ada.save("https://example.org/", description="long " * 1000)
    path = f"/bookmarks/{saved['id']}"
    packed = write(ada, "GET", path, Accept_Encoding=encoding)
    assert packed.headers["Content-Encoding"] == encoding
    assert packed.headers["ETag"] != etag(ada, path)
    same = write(ada, "GET", path, Accept_Encoding=encoding, If_None_Match=packed.headers["ETag"])
    assert (same.status_code, same.headers["ETag"]) == (304, packed.headers["ETag"])
    assert write(ada, "PATCH", path, {"title": "new"}, If_Match=packed.headers["ETag"]).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_write_with_the_present_etag_passes_and_with_another_does_not(ada: Api, method: str) -> None:
    saved = ada.save("https://example.org/", title="old")
    path = f"/bookmarks/{saved['id']}"
    body = {"title": "mine"} if method == "PATCH" else None
    seen = etag(ada, path)
    assert ada.patch(path, {"title": "theirs"}).status_code == 200
    stale = write(ada, method, path, body, If_Match=seen)
    assert (stale.status_code, stale.mimetype) == (412, "application/problem+json")
    assert ada.get(path).json["title"] == "theirs"
    assert write(ada, method, path, body, If_Match=f'"x", {etag(ada, path)}').status_code in (200, 204)


def test_the_etag_of_a_change_is_that_of_the_next_read(ada: Api) -> None:
    saved = ada.save("https://example.org/")
    path = f"/bookmarks/{saved['id']}"
    changed = ada.patch(path, {"title": "new", "tags": ["b", "a"]})
    assert changed.headers["ETag"] == etag(ada, path)
    again = write(ada, "PATCH", path, {"title": "newer"}, If_Match=changed.headers["ETag"])
    assert again.status_code == 200
    profile = ada.patch("/profile", {"username": "ada2"})
    assert profile.headers["ETag"] == etag(ada, "/profile")


def test_weak_etags_do_not_match_for_writes(ada: Api) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/')['id']}"
    assert write(ada, "PATCH", path, {"title": "x"}, If_Match=f"W/{etag(ada, path)}").status_code == 412


def test_a_star_asks_whether_there_is_anything(ada: Api) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/')['id']}"
    assert write(ada, "PATCH", path, {"title": "x"}, If_Match="*").status_code == 200
    assert write(ada, "PATCH", path, {"title": "y"}, If_None_Match="*").status_code == 412
    provider = {"base_url": "https://llm.example.org/v1", "model": "m", "api_key": "sk-12345678"}
    assert write(ada, "PUT", "/profile/ai", provider, If_Match="*").status_code == 412
    assert write(ada, "PUT", "/profile/ai", provider, If_None_Match="*").status_code == 200
    assert write(ada, "PUT", "/profile/ai", provider, If_None_Match="*").status_code == 412


def test_refusals_come_in_their_order(ada: Api, bob: Api) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/')['id']}"
    assert write(Api(ada.app), "PATCH", path, {"title": 1}, If_Match='"x"').status_code == 401
    assert write(ada, "PATCH", path, {"title": 1}, If_Match='"x"').status_code == 422
    assert write(bob, "PATCH", path, {"title": "x"}, If_Match='"x"').status_code == 404
    assert write(ada, "PATCH", "/bookmarks/12345", {"title": "x"}, If_Match='"x"').status_code == 404


def test_of_many_who_write_at_once_over_one_state_one_succeeds(ada: Api) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/')['id']}"
    for turn in range(5):
        seen, start = etag(ada, path), threading.Barrier(6)

        def change(number: int, seen: str = seen, start: threading.Barrier = start, turn: int = turn) -> int:
            api = Api(ada.app, token=ada.token)
            start.wait()
            return write(api, "PATCH", path, {"title": f"{turn}.{number}"}, If_Match=seen).status_code

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(change, range(6))) == [200, 412, 412, 412, 412, 412]


def test_a_change_between_the_comparison_and_the_write_is_noticed(
    ada: Api, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/')['id']}"
    update = service.update_bookmark

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(service, "update_bookmark", update)
        with ThreadPoolExecutor(1) as pool:  # Another thread, another transaction.
            assert pool.submit(Api(app, token=ada.token).patch, path, {"notes": "theirs"}).result().status_code == 200
        return update(*arguments)

    seen = etag(ada, path)
    monkeypatch.setattr(service, "update_bookmark", late)
    assert write(ada, "PATCH", path, {"title": "mine"}, If_Match=seen).status_code == 412
    assert (ada.get(path).json["title"], ada.get(path).json["notes"]) == ("", "theirs")


def test_two_clients_who_change_different_fields_both_keep_their_change(ada: Api) -> None:
    path = f"/bookmarks/{ada.save('https://example.org/')['id']}"
    wanted: dict[str, Any] = {"title": "t", "notes": "n", "is_read": True, "tags": ["x"], "description": "d"}
    for _ in range(4):
        ada.patch(path, {"title": "", "notes": "", "is_read": False, "tags": [], "description": ""})
        start = threading.Barrier(len(wanted))

        def change(name: str, start: threading.Barrier = start) -> int:
            start.wait()
            return Api(ada.app, token=ada.token).patch(path, {name: wanted[name]}).status_code

        with ThreadPoolExecutor(len(wanted)) as pool:
            assert set(pool.map(change, wanted)) == {200}
        found = ada.get(path).json
        assert {name: found[name] for name in wanted} == wanted
