"""POST /bookmarks/bulk: many links, each judged on its own."""

from __future__ import annotations

import pytest

from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
GOOD = '{"url": "https://example.org/good"}'
# Each as it is written in JSON, because much of it cannot be written in Python.
BAD = [
    "1",
    "-1.5",
    "NaN",
    "Infinity",
    "1e999",
    "9" * 400,
    '"https://example.org/"',
    "null",
    "true",
    "[]",
    '[{"url": "https://example.org/"}]',
    "{}",
    '{"url": null}',
    '{"url": ""}',
    '{"url": 5}',
    '{"url": NaN}',
    '{"url": "example.org"}',
    '{"url": "ftp://example.org/"}',
    '{"url": "https://ada@example.org/"}',
    '{"url": "https://example.org/\\u0000"}',
    '{"url": "https://example.org/", "title": "\\u0000"}',
    '{"url": "https://example.org/", "notes": 5}',
    '{"url": "https://example.org/", "tags": ["a\\u0000"]}',
    '{"url": "https://example.org/", "tags": [" "]}',
    '{"url": "https://example.org/", "tags": {"a": 1}}',
    '{"url": "https://example.org/", "tags": [null]}',
    '{"url": "https://example.org/", "is_read": 1e400}',
    '{"url": "https://example.org/", "is_read": "yes"}',
    '{"url": "https://example.org/", "project_ids": [1]}',
    '{"url": "https://example.org/", "project_ids": [' + "9" * 400 + "]}",
    '{"url": "https://example.org/", "created_at": 99999999999999999999}',
    '{"url": "https://example.org/", "created_at": "9999-12-31T23:59:59Z"}',
    '{"url": "https://example.org/", "other": 1}',
    '{"url": "https://example.org/", "a": {"b": {"c": [[[[1]]]]}}}',
]


def send_text(api: Api, items: str) -> dict:  # type: ignore[type-arg]
    body = '{"items": [' + items + "]}"
    response = api.request("POST", "/bookmarks/bulk", data=body.encode(), content_type="application/json")
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict = response.json  # type: ignore[type-arg]
    return answer


def test_results_stand_in_the_order_of_the_items(ada: Api) -> None:
    old = ada.save("https://example.org/old")
    urls = ["https://example.org/2", "https://example.org/old", "nonsense", "https://example.org/1"]
    answer = ada.post("/bookmarks/bulk", {"items": [{"url": url} for url in urls]}).json
    assert [result["index"] for result in answer["results"]] == [0, 1, 2, 3]
    assert [result["status"] for result in answer["results"]] == ["created", "duplicate", "invalid", "created"]
    assert answer["results"][1]["id"] == old["id"]
    assert answer["results"][2] == {
        "index": 2,
        "status": "invalid",
        "id": None,
        "error": "url: Only http and https URLs can be saved",
    }
    assert [answer[name] for name in ("created", "duplicates", "invalid")] == [2, 1, 1]
    for result, url in zip(answer["results"], urls, strict=True):
        if result["id"]:
            assert ada.get(f"/bookmarks/{result['id']}").json["url"] == url


def test_the_later_of_two_is_the_newer_in_lists(ada: Api) -> None:
    items = [{"url": f"https://example.org/{number}", "title": str(number)} for number in range(30)]
    ada.post("/bookmarks/bulk", {"items": items})
    assert ada.titles(page_size=100) == [str(number) for number in reversed(range(30))]


def test_one_bad_item_spoils_no_other(ada: Api) -> None:
    for place, bad in enumerate(BAD, start=1):
        good = GOOD.replace("good", f"good{place}")
        answer = send_text(ada, f"{bad}, {good}, {bad}")
        assert [result["status"] for result in answer["results"]] == ["invalid", "created", "invalid"], bad
        assert all(answer["results"][index]["error"] for index in (0, 2))
        assert ada.get("/bookmarks").json["total"] == place


def test_all_bad_items_together_spoil_nothing(ada: Api) -> None:
    answer = send_text(ada, ", ".join([*BAD, GOOD]))
    assert [answer["created"], answer["invalid"]] == [1, len(BAD)]


def test_an_item_takes_all_that_a_single_save_takes(ada: Api) -> None:
    given = {
        "url": "https://example.org/a",
        "title": "T",
        "description": "D",
        "notes": "N",
        "tags": ["b", "a"],
        "is_read": True,
        "is_favorite": True,
        "is_archived": True,
        "created_at": "2020-01-01T00:00:00Z",
    }
    result = ada.post("/bookmarks/bulk", {"items": [{**given, "capture": False}]}).json["results"][0]
    saved = ada.get(f"/bookmarks/{result['id']}").json
    assert {name: saved[name] for name in given} == given
    assert saved["capture"]["status"] == "skipped"


def test_one_link_twice_in_a_request_is_one_bookmark_with_all_that_both_say(ada: Api) -> None:
    items = [
        {"url": "https://example.org/a", "tags": ["One"], "description": "first"},
        {"url": "https://example.org/b"},
        {"url": "http://www.example.org/a/", "title": "Later", "tags": ["two", "ONE"], "description": "second"},
    ]
    answer = ada.post("/bookmarks/bulk", {"items": items}).json
    assert [result["status"] for result in answer["results"]] == ["created", "created", "duplicate"]
    assert answer["results"][0]["id"] == answer["results"][2]["id"]
    saved = ada.get(f"/bookmarks/{answer['results'][0]['id']}").json
    assert [saved["url"], saved["title"], saved["description"]] == ["https://example.org/a", "Later", "first"]
    assert saved["tags"] == ["One", "two"]


@pytest.mark.parametrize(
    ("policy", "title", "tags"),
    [("", "Filled", ["a", "b"]), ("?on_duplicate=keep", "", ["a"]), ("?on_duplicate=error", "", ["a"])],
)
def test_what_becomes_of_links_that_are_saved_already(ada: Api, policy: str, title: str, tags: list[str]) -> None:
    saved = ada.save("https://example.org/a", tags=["a"])
    items = [{"url": "https://example.org/a", "title": "Filled", "tags": ["A", "b"]}, {"url": "https://example.org/b"}]
    answer = ada.post(f"/bookmarks/bulk{policy}", {"items": items}).json
    assert [result["status"] for result in answer["results"]] == ["duplicate", "created"]
    assert answer["results"][0]["id"] == saved["id"]
    now = ada.get(f"/bookmarks/{saved['id']}").json
    assert [now["title"], now["tags"]] == [title, tags]


def test_a_thousand_are_taken_and_one_more_is_422(ada: Api) -> None:
    items = [{"url": f"https://example.org/{number}", "capture": False} for number in range(1001)]
    assert field_errors(ada.post("/bookmarks/bulk", {"items": items})) == {"body.items": "too_long"}
    assert ada.get("/bookmarks").json["total"] == 0
    assert ada.post("/bookmarks/bulk", {"items": items[:1000]}).json["created"] == 1000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.items"),
        ({"items": None}, "body.items"),
        ({"items": {}}, "body.items"),
        ({"items": "x"}, "body.items"),
        ({"items": [], "other": 1}, "body.other"),
        ([], "body"),
        (None, "body.items"),
    ],
)
def test_what_is_no_list_of_items_is_422(ada: Api, body: object, field: str) -> None:
    assert set(field_errors(ada.post("/bookmarks/bulk", body))) == {field}


def test_nothing_is_fine(ada: Api) -> None:
    answer = ada.post("/bookmarks/bulk", {"items": []}).json
    assert answer == {"results": [], "created": 0, "duplicates": 0, "invalid": 0}


@pytest.mark.parametrize("again", [False, True])
def test_statements_do_not_grow_with_the_items(ada: Api, sql: SqlCounter, again: bool) -> None:
    """R-WORK 6: also when every other link asks for capture, and each has tags of its own."""

    def items(number: int) -> list[dict[str, object]]:
        return [
            {
                "url": f"https://example.org/{number}/{place}",
                "title": "x" * (place % 2),
                "capture": place % 2 == 0,
                "is_read": place % 3 == 0,
                "tags": ["all", f"some{place % 7}", f"own{place}"],
            }
            for place in range(number)
        ]

    ada.get("/tags")  # Known from here on: a login that Redis does not know takes a statement more.
    counts = []
    for number in (2, 300):
        if again:
            ada.post("/bookmarks/bulk", {"items": items(number)})
        with sql.at_most(8):
            assert ada.post("/bookmarks/bulk", {"items": items(number)}).status_code == 200
        counts.append(len(sql.statements))
    assert counts[0] == counts[1]
