"""POST /bookmarks/actions: one change for many bookmarks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def save_many(api: Api, number: int, **fields: Any) -> list[int]:
    """So many new links; their ids."""
    start = api.get("/bookmarks", is_archived="any").json["total"]
    items = [{"url": f"https://example.org/{start + place}", "capture": False, **fields} for place in range(number)]
    return [result["id"] for result in api.post("/bookmarks/bulk", {"items": items}).json["results"]]


def act(api: Api, action: str, **body: Any) -> int:
    response = api.post("/bookmarks/actions", {"action": action, **body})
    assert response.status_code == 200, response.get_data(as_text=True)
    assert set(response.json) == {"affected"}
    return int(response.json["affected"])


def read(api: Api, bookmark_id: int) -> dict[str, Any]:
    response = api.get(f"/bookmarks/{bookmark_id}")
    assert response.status_code == 200
    bookmark: dict[str, Any] = response.json
    return bookmark


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("archive", "is_archived", True),
        ("unarchive", "is_archived", False),
        ("read", "is_read", True),
        ("unread", "is_read", False),
        ("favorite", "is_favorite", True),
        ("unfavorite", "is_favorite", False),
    ],
)
@pytest.mark.parametrize("by_filter", [False, True])
def test_a_flag_is_set_where_it_was_not(ada: Api, action: str, field: str, value: bool, by_filter: bool) -> None:
    already = save_many(ada, 2, tags=["these"], **{field: value})
    others = save_many(ada, 3, tags=["these"], **{field: not value})
    untouched = read(ada, already[0]), read(ada, save_many(ada, 1, **{field: not value})[0])
    which = {"filter": {"tag": ["these"], "is_archived": "any"}} if by_filter else {"ids": already + others}
    assert act(ada, action, **which) == 3
    assert [read(ada, id_)[field] for id_ in already + others] == [value] * 5
    assert [read(ada, bookmark["id"]) for bookmark in untouched] == list(untouched)
    assert act(ada, action, **which) == 0


@pytest.mark.parametrize("by_filter", [False, True])
def test_adding_tags_unites_and_keeps_order(ada: Api, by_filter: bool) -> None:
    ids = save_many(ada, 2, tags=["z", "Both"]) + save_many(ada, 1, tags=["both", "new"]) + save_many(ada, 1)
    which = {"filter": {}} if by_filter else {"ids": ids}
    assert act(ada, "add_tags", tags=["BOTH", "new"], **which) == 3
    assert [sorted(read(ada, id_)["tags"]) for id_ in ids[2:]] == [["Both", "new"]] * 2
    assert read(ada, ids[0])["tags"] == ["z", "Both", "new"]
    assert ada.get("/bookmarks", q="new").json["total"] == 4
    assert act(ada, "add_tags", tags=["new"], **which) == 0


@pytest.mark.parametrize("by_filter", [False, True])
def test_removing_tags_ignores_case_and_unknown_ones(ada: Api, by_filter: bool) -> None:
    ids = save_many(ada, 2, tags=["a", "Gone", "b"]) + save_many(ada, 1, tags=["a"])
    which = {"filter": {}} if by_filter else {"ids": ids}
    assert act(ada, "remove_tags", tags=["gONE", "unknown"], **which) == 2
    assert [read(ada, id_)["tags"] for id_ in ids] == [["a", "b"], ["a", "b"], ["a"]]
    assert ada.get("/bookmarks", q="gone").json["total"] == 0
    assert "unknown" not in [tag["name"] for tag in ada.get("/tags").json["items"]]


@pytest.mark.parametrize("by_filter", [False, True])
def test_deleting_and_restoring(ada: Api, by_filter: bool) -> None:
    ids = save_many(ada, 3, tags=["out"])
    stays = save_many(ada, 1)
    which = {"filter": {"tag": ["out"]}} if by_filter else {"ids": ids}
    assert act(ada, "delete", **which) == 3
    assert act(ada, "delete", **which) == 0
    assert [item["id"] for item in ada.get("/bookmarks").json["items"]] == stays
    assert ada.get("/bookmarks", deleted="true").json["total"] == 3
    assert act(ada, "restore", **which) == 3
    assert act(ada, "restore", **which) == 0
    assert ada.get("/bookmarks").json["total"] == 4


def test_of_twins_in_the_trash_the_newest_comes_back_and_none_beside_a_live_one(ada: Api) -> None:
    trash = []
    for title in ("older", "newer"):
        trash.append(ada.save("https://example.org/twice", title=title)["id"])
        ada.delete(f"/bookmarks/{trash[-1]}")
    anew = ada.save("https://example.org/anew", title="deleted")["id"]
    ada.delete(f"/bookmarks/{anew}")
    ada.save("https://example.org/anew", title="saved anew")
    assert act(ada, "restore", ids=[*trash, anew]) == 1
    assert sorted(ada.titles()) == ["newer", "saved anew"]
    assert sorted(ada.titles(deleted="true")) == ["deleted", "older"]


@pytest.mark.parametrize("by_filter", [False, True])
def test_capturing_sets_pending_and_forgets_how_it_ended_before(ada: Api, by_filter: bool) -> None:
    ids = save_many(ada, 3)
    assert {read(ada, id_)["capture"]["status"] for id_ in ids} == {"skipped"}
    which = {"filter": {"capture_status": "skipped"}} if by_filter else {"ids": ids}
    assert act(ada, "capture", **which) == 3
    for id_ in ids:
        assert read(ada, id_)["capture"] == {"status": "pending", "error": None, "captured_at": None, "attempts": 0}


def test_a_filter_takes_everything_that_the_list_takes(ada: Api) -> None:
    ids = save_many(ada, 2, title="zebra", tags=["a", "b"], is_read=True, created_at="2026-01-02T00:00:00Z")
    save_many(ada, 3, tags=["a"], is_archived=True)
    wanted = {
        "q": "zebra",
        "tag": ["a", "B"],
        "untagged": False,
        "domain": "www.example.org",
        "is_read": True,
        "is_favorite": None,
        "is_archived": False,
        "capture_status": "skipped",
        "created_after": "2026-01-01T00:00:00Z",
        "created_before": "2026-01-03T00:00:00Z",
        "deleted": False,
    }
    assert act(ada, "favorite", filter=wanted) == 2
    assert all(read(ada, id_)["is_favorite"] for id_ in ids)
    assert act(ada, "favorite", filter={"project_id": 1}) == 0


def test_the_filter_leaves_archived_ones_out_unless_it_says_otherwise(ada: Api) -> None:
    save_many(ada, 2, is_archived=True)
    save_many(ada, 3)
    assert act(ada, "read", filter={}) == 3
    assert act(ada, "favorite", filter={"is_archived": True}) == 2
    assert act(ada, "unread", filter={"is_archived": "any"}) == 3


@pytest.mark.parametrize("action", ["archive", "add_tags", "remove_tags", "delete", "restore", "capture"])
def test_what_is_foreign_gone_or_unknown_is_passed_over(ada: Api, bob: Api, action: str) -> None:
    """R-AUTH 4."""
    own = save_many(ada, 1, tags=["t"])
    foreign = bob.save("https://example.org/bob", tags=["t"])
    deleted = bob.save("https://example.org/deleted")
    bob.delete(f"/bookmarks/{deleted['id']}")
    if action == "restore":
        ada.delete(f"/bookmarks/{own[0]}")
    tags = {"tags": ["t" if action == "remove_tags" else "new"]} if "tags" in action else {}
    ids = [*own, *own, foreign["id"], deleted["id"], 2**63 - 1]
    assert act(ada, action, ids=ids, **tags) == 1
    assert act(ada, action, filter={"is_archived": "any", "deleted": action == "restore"}, **tags) in (0, 1)
    assert bob.get(f"/bookmarks/{foreign['id']}").json == foreign
    assert bob.titles(deleted="true") == [""]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"action": "read"}, {"body.ids"}),
        ({"action": "read", "ids": [1], "filter": {}}, {"body.ids"}),
        ({"ids": [1]}, {"body.action"}),
        ({"action": "explode", "ids": [1]}, {"body.action"}),
        ({"action": "read", "ids": None}, {"body.ids"}),
        ({"action": "read", "ids": ["1"]}, {"body.ids.0"}),
        ({"action": "read", "ids": [0]}, {"body.ids.0"}),
        ({"action": "read", "ids": [2**63]}, {"body.ids.0"}),
        ({"action": "read", "ids": list(range(1, 1002))}, {"body.ids"}),
        ({"action": "read", "filter": None}, {"body.filter"}),
        ({"action": "read", "filter": []}, {"body.filter"}),
        ({"action": "read", "filter": {"other": 1}}, {"body.filter.other"}),
        ({"action": "read", "filter": {"q": 5}}, {"body.filter.q"}),
        ({"action": "read", "filter": {"is_read": "true"}}, {"body.filter.is_read"}),
        ({"action": "read", "filter": {"is_archived": "all"}}, {"body.filter.is_archived"}),
        ({"action": "read", "filter": {"tag": "a"}}, {"body.filter.tag"}),
        ({"action": "add_tags", "ids": [1]}, {"body.tags"}),
        ({"action": "add_tags", "ids": [1], "tags": []}, {"body.tags"}),
        ({"action": "add_tags", "ids": [1], "tags": [""]}, {"body.tags.0"}),
        ({"action": "remove_tags", "filter": {}}, {"body.tags"}),
        ({"action": "add_to_project", "ids": [1]}, {"body.project_id"}),
        ({"action": "add_to_project", "ids": [1], "project_id": 5}, {"body.project_id"}),
        ({"action": "remove_from_project", "ids": [1], "project_id": 5}, {"body.project_id"}),
        ({"action": "read", "ids": [1], "other": 1}, {"body.other"}),
    ],
)
def test_a_bad_action_is_422_and_named(ada: Api, body: dict[str, Any], fields: set[str]) -> None:
    assert set(field_errors(ada.post("/bookmarks/actions", body))) == fields


def test_no_ids_are_nothing_to_do(ada: Api) -> None:
    save_many(ada, 1)
    assert act(ada, "archive", ids=[]) == 0


@pytest.mark.parametrize("action", ["archive", "add_tags", "remove_tags", "delete", "restore", "capture"])
def test_statements_do_not_grow_with_the_bookmarks(ada: Api, sql: SqlCounter, action: str) -> None:
    counts = []
    for number in (1, 100):
        ids = save_many(ada, number, tags=["old"])
        if action == "restore":
            act(ada, "delete", ids=ids)
        tags = {"tags": ["old"] if action == "remove_tags" else ["n1", "n2"]} if "tags" in action else {}
        with sql.at_most(8):
            assert act(ada, action, ids=ids, **tags) == number
        counts.append(len(sql.statements))
    assert counts[0] == counts[1]
