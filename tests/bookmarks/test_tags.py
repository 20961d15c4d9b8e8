"""/tags: listed, renamed, merged, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def tags_of(api: Api, **query: Any) -> dict[str, int]:
    """How many bookmarks carry each tag, in the order of the list."""
    response = api.get("/tags", page_size=100, **query)
    assert response.status_code == 200
    return {item["name"]: item["bookmark_count"] for item in response.json["items"]}


def tag_id(api: Api, name: str) -> int:
    found = [item for item in api.get("/tags", page_size=100).json["items"] if item["name"] == name]
    assert len(found) == 1
    return int(found[0]["id"])


def test_tags_are_listed_by_name_with_counts_outside_the_trash(ada: Api) -> None:
    ada.save("https://example.org/1", tags=["web", "Python"])
    ada.save("https://example.org/2", tags=["python", "ant"], is_archived=True)
    trashed = ada.save("https://example.org/3", tags=["python", "only-here"])
    ada.delete(f"/bookmarks/{trashed['id']}")
    assert list(tags_of(ada).items()) == [("ant", 1), ("only-here", 0), ("Python", 2), ("web", 1)]
    assert list(tags_of(ada, sort="-name")) == ["web", "Python", "only-here", "ant"]
    assert set(ada.get("/tags").json["items"][0]) == {"id", "name", "bookmark_count"}


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("", ["%", "\\", "_a", "a%b", "ab", "a_b", "Straße", "ΣΑΣ"]),
        ("a", ["a%b", "ab", "a_b"]),
        ("A", ["a%b", "ab", "a_b"]),
        ("a%", ["a%b"]),
        ("a_", ["a_b"]),
        ("_", ["_a"]),
        ("%", ["%"]),
        ("\\", ["\\"]),
        ("/", []),
        ("b", []),
        ("STRASS", ["Straße"]),
        ("σα", ["ΣΑΣ"]),
    ],
)
def test_the_filter_is_a_beginning_as_it_is_typed(ada: Api, prefix: str, names: list[str]) -> None:
    ada.save("https://example.org/1", tags=["a%b", "a_b", "ab", "%", "_a", "\\", "Straße", "ΣΑΣ"])
    assert sorted(tags_of(ada, q=prefix)) == sorted(names)
    assert ada.get("/tags", q=prefix).json["total"] == len(names)


def test_a_renamed_tag_is_renamed_on_all_its_bookmarks(ada: Api) -> None:
    saved = [ada.save(f"https://example.org/{number}", tags=["first", "old", "last"]) for number in range(3)]
    renamed = ada.patch(f"/tags/{tag_id(ada, 'old')}", {"name": " New name "})
    assert renamed.status_code == 200
    assert renamed.json == {"id": tag_id(ada, "New name"), "name": "New name", "bookmark_count": 3}
    for bookmark in saved:
        now = ada.get(f"/bookmarks/{bookmark['id']}").json
        assert now["tags"] == ["first", "New name", "last"]
        assert now["updated_at"] > bookmark["updated_at"]
    assert ada.get("/bookmarks", tag="old").json["total"] == ada.get("/bookmarks", q="old").json["total"] == 0
    assert ada.get("/bookmarks", tag="new name").json["total"] == ada.get("/bookmarks", q="new").json["total"] == 3


def test_the_case_of_a_name_can_change(ada: Api) -> None:
    ada.save("https://example.org/1", tags=["python"])
    assert ada.patch(f"/tags/{tag_id(ada, 'python')}", {"name": "PyThon"}).json["name"] == "PyThon"
    assert tags_of(ada) == {"PyThon": 1}


@pytest.mark.parametrize("name", ["taken", "TAKEN", " taken "])
def test_a_name_that_is_taken_is_409_with_the_id_of_its_tag(ada: Api, name: str) -> None:
    ada.save("https://example.org/1", tags=["taken", "other"])
    refused = ada.patch(f"/tags/{tag_id(ada, 'other')}", {"name": name})
    assert refused.status_code == 409
    assert refused.json["existing_id"] == tag_id(ada, "taken")
    assert tags_of(ada) == {"other": 1, "taken": 1}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.name"),
        ({"name": None}, "body.name"),
        ({"name": ""}, "body.name"),
        ({"name": " \n"}, "body.name"),
        ({"name": 5}, "body.name"),
        ({"name": "x" * 101}, "body.name"),
        ({"name": "a\x00b"}, "body.name"),
        ({"name": "ok", "id": 1}, "body.id"),
    ],
)
def test_a_bad_name_is_422(ada: Api, body: dict[str, Any], field: str) -> None:
    ada.save("https://example.org/1", tags=["tag"])
    assert set(field_errors(ada.patch(f"/tags/{tag_id(ada, 'tag')}", body))) == {field}
    assert tags_of(ada) == {"tag": 1}


def test_merging_puts_the_other_tag_in_its_place(ada: Api) -> None:
    both = ada.save("https://example.org/1", tags=["source", "between", "target"])
    one = ada.save("https://example.org/2", tags=["a", "source", "b"])
    trashed = ada.save("https://example.org/3", tags=["source"])
    ada.delete(f"/bookmarks/{trashed['id']}")
    from_id, into_id = tag_id(ada, "source"), tag_id(ada, "target")
    merged = ada.post(f"/tags/{from_id}/merge", {"into_id": into_id})
    assert (merged.status_code, merged.json) == (200, {"id": into_id, "name": "target", "bookmark_count": 2})
    assert ada.get(f"/bookmarks/{both['id']}").json["tags"] == ["between", "target"]
    assert ada.get(f"/bookmarks/{one['id']}").json["tags"] == ["a", "target", "b"]
    assert ada.post(f"/bookmarks/{trashed['id']}/restore").json["tags"] == ["target"]
    assert tags_of(ada) == {"a": 1, "b": 1, "between": 1, "target": 3}
    assert ada.get("/bookmarks", q="source").json["total"] == 0
    assert ada.get("/bookmarks", q="target").json["total"] == 3


def test_merging_needs_another_tag_of_ones_own(ada: Api, bob: Api) -> None:
    ada.save("https://example.org/1", tags=["mine"])
    bob.save("https://example.org/1", tags=["his"])
    mine, his = tag_id(ada, "mine"), tag_id(bob, "his")
    for into_id in (mine, his, 999_999, 2**63 - 1):
        answer = ada.post(f"/tags/{mine}/merge", {"into_id": into_id})
        assert field_errors(answer) == {"body.into_id": "unknown_tag"}
    for body in ({}, {"into_id": "1"}, {"into_id": 0}, {"into_id": 2**63}, {"into_id": None}):
        assert set(field_errors(ada.post(f"/tags/{mine}/merge", body))) == {"body.into_id"}
    assert tags_of(ada) == {"mine": 1}


def test_a_deleted_tag_is_off_all_its_bookmarks_which_stay(ada: Api) -> None:
    saved = [ada.save(f"https://example.org/{number}", tags=["a", "gone", "b"]) for number in range(2)]
    answer = ada.delete(f"/tags/{tag_id(ada, 'gone')}")
    assert (answer.status_code, answer.data) == (204, b"")
    for bookmark in saved:
        assert ada.get(f"/bookmarks/{bookmark['id']}").json["tags"] == ["a", "b"]
    assert tags_of(ada) == {"a": 2, "b": 2}
    assert ada.get("/bookmarks", q="gone").json["total"] == 0


def test_a_tag_that_is_not_ones_own_looks_as_if_it_never_was(ada: Api, bob: Api) -> None:
    """R-AUTH 4."""
    bob.save("https://example.org/1", tags=["his"])
    ada.save("https://example.org/1", tags=["mine"])
    for id_ in (tag_id(bob, "his"), 999_999):
        answers = [
            ada.patch(f"/tags/{id_}", {"name": "x"}),
            ada.post(f"/tags/{id_}/merge", {"into_id": tag_id(ada, "mine")}),
            ada.delete(f"/tags/{id_}"),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert tags_of(bob) == {"his": 1}


@pytest.mark.parametrize("query", [{"q": "x" * 101}, {"sort": "id"}, {"q": "a\x00"}, {"sort": "bookmark_count"}])
def test_a_bad_list_query_is_422(ada: Api, query: dict[str, str]) -> None:
    assert set(field_errors(ada.get("/tags", **query))) == {f"query.{next(iter(query))}"}


@pytest.mark.parametrize("what", ["list", "rename", "merge", "delete"])
def test_statements_do_not_grow(ada: Api, sql: SqlCounter, what: str) -> None:
    counts = []
    for number in (1, 100):
        items = [
            {"url": f"https://example.org/{number}/{place}", "tags": ["one", "other", f"own{place}"], "capture": False}
            for place in range(number)
        ]
        ada.post("/bookmarks/bulk", {"items": items})
        one, other = tag_id(ada, "one"), tag_id(ada, "other")
        with sql.at_most(3 if what == "list" else 10):
            if what == "list":
                answer = ada.get("/tags", page_size=99)  # Not what the look-ups above have asked.
            elif what == "rename":
                answer = ada.patch(f"/tags/{one}", {"name": f"renamed {number}"})
            elif what == "merge":
                answer = ada.post(f"/tags/{one}/merge", {"into_id": other})
            else:
                answer = ada.delete(f"/tags/{one}")
        assert answer.status_code in (200, 204)
        counts.append(len(sql.statements))
    assert counts[0] == counts[1]


def test_renaming_a_tag_of_many_bookmarks_leaves_their_documents_to_a_worker(ada: Api) -> None:
    items = [{"url": f"https://example.org/{place}", "tags": ["old"], "capture": False} for place in range(600)]
    ada.post("/bookmarks/bulk", {"items": items})
    assert ada.patch(f"/tags/{tag_id(ada, 'old')}", {"name": "new"}).json["bookmark_count"] == 600
    assert ada.get("/bookmarks", tag="new").json["total"] == 600
