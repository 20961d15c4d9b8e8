"""What comes in: sizes, encodings, media types, depth, and how its faults are named (R-HTTP 3, 4, 5)."""

from __future__ import annotations

import codecs
import gzip
import json
import threading
import time
import tracemalloc
import zlib
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend.bookmarks.routes import BULK_LIMIT_BYTES
from backend.http.middleware import input_validation
from backend.http.validation import BODY_LIMIT_BYTES, MAX_JSON_DEPTH, _depth_exceeds
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
LINK = {"url": "https://example.org/a", "capture": False}


def post(person: Api, data: bytes, content_type: str | None = "application/json", **headers: str) -> TestResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.request("POST", "/bookmarks", data=data, content_type=content_type, headers=names)


def padded(size: int) -> bytes:
    """A body that is a link, and exactly this long."""
    body = json.dumps(LINK).encode()
    return body + b" " * (size - len(body))


def test_a_body_may_be_as_long_as_the_cap_and_no_longer(ada: Api) -> None:
    assert post(ada, padded(BODY_LIMIT_BYTES)).status_code == 201
    assert post(ada, padded(BODY_LIMIT_BYTES + 1)).status_code == 413


@pytest.mark.parametrize("name", ["gzip", "GZIP"])
def test_a_gzip_body_is_read(ada: Api, name: str) -> None:
    response = post(ada, gzip.compress(json.dumps(LINK).encode()), Content_Encoding=name)
    assert response.status_code == 201
    assert response.json["url"] == LINK["url"]


def test_a_gzip_body_is_capped_after_inflation(ada: Api) -> None:
    assert post(ada, gzip.compress(padded(BODY_LIMIT_BYTES)), Content_Encoding="gzip").status_code == 201
    assert post(ada, gzip.compress(padded(BODY_LIMIT_BYTES + 1)), Content_Encoding="gzip").status_code == 413


def test_a_gzip_bomb_costs_neither_time_nor_memory(ada: Api) -> None:
    squeezer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeezer.compress(bytes(2**20)) for _ in range(200)) + squeezer.flush()
    assert len(bomb) < BODY_LIMIT_BYTES
    # Seconds of this thread's own work, however busy the machine is.
    began = time.thread_time()
    assert len(gzip.decompress(bomb)) == 200 * 2**20
    whole = time.thread_time() - began
    began = time.thread_time()
    assert post(ada, bomb, Content_Encoding="gzip").status_code == 413
    assert time.thread_time() - began < whole / 2
    tracemalloc.start()
    try:
        assert post(ada, bomb, Content_Encoding="gzip").status_code == 413
        assert tracemalloc.get_traced_memory()[1] < 10 * BODY_LIMIT_BYTES
    finally:
        tracemalloc.stop()


PACKED = gzip.compress(json.dumps(LINK).encode())


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip at all", PACKED[:-6], PACKED + b"more", PACKED + PACKED, PACKED[:12] + b"\x00\x00" + PACKED[14:]],
    ids=["nothing", "text", "cut", "trailing", "two", "damaged"],
)
def test_what_is_not_one_whole_gzip_stream_is_malformed(ada: Api, data: bytes) -> None:
    assert post(ada, data, Content_Encoding="gzip").status_code == 400


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "compress", "*"])
def test_other_encodings_of_a_body_are_refused(ada: Api, encoding: str) -> None:
    assert post(ada, PACKED, Content_Encoding=encoding).status_code == 415


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "text/json", "application/xml", "multipart/form-data; boundary=x"]
)
def test_a_body_of_another_media_type_is_refused(ada: Api, content_type: str | None) -> None:
    assert post(ada, json.dumps(LINK).encode(), content_type).status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8; x=y"]
)
def test_parameters_and_case_of_the_media_type_do_not_matter(ada: Api, content_type: str) -> None:
    assert post(ada, json.dumps(LINK).encode(), content_type).status_code == 201


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{]",
        b"{'url': 1}",
        b'{"url": "https://example.org/a",}',
        b'{"url": "https://example.org/a"} trailing',
        b'{"url": "\xff\xfe"}',
        b'{"url": "\\ud800"}',
        b'{"url": "a\nb"}',
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b" \xef\xbb\xbf{}",
        b'{"title": NULL}',
        b'"\\' + b"[" * 40,
    ],
)
def test_malformed_json_is_400(ada: Api, data: bytes) -> None:
    response = post(ada, data)
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("body", [[], "text", 1, None, True, [LINK]])
def test_a_body_that_is_no_object_is_422(ada: Api, body: Any) -> None:
    assert set(field_errors(post(ada, json.dumps(body).encode()))) == {"body"}


@pytest.mark.parametrize("around", [("[", "]"), ('{"a":', "}")])
def test_json_may_nest_as_deep_as_the_cap_and_no_deeper(ada: Api, around: tuple[str, str]) -> None:
    def nested(depth: int) -> bytes:
        return (around[0] * depth + "1" + around[1] * depth).encode()

    assert "too_deep" not in field_errors(post(ada, nested(MAX_JSON_DEPTH))).values()
    assert field_errors(post(ada, nested(MAX_JSON_DEPTH + 1))) == {"body": "too_deep"}
    assert field_errors(post(ada, nested(100_000))) == {"body": "too_deep"}


def test_brackets_within_text_are_not_depth(ada: Api) -> None:
    title = '[[{{"' * 100 + "\\"
    assert ada.save("https://example.org/brackets", title=title)["title"] == title


@pytest.mark.unit
@pytest.mark.parametrize("text", [b'"' + b'\\"' * 500_000, b'"a",' * 250_000, b'"' * 10**6, b"\\" * 10**6])
def test_measuring_depth_takes_time_in_proportion_to_the_length(text: bytes) -> None:
    """A quote that never closed made it quadratic: 16 kB took a second, and anybody could send them."""
    began = time.thread_time()
    _depth_exceeds(text + b"[" * (MAX_JSON_DEPTH + 1), MAX_JSON_DEPTH)
    assert time.thread_time() - began < 10  # Where it was an hour.


@pytest.mark.parametrize("value", ["\x00", "a\x00b"])
@pytest.mark.parametrize("field", ["url", "title", "description", "notes", "tags"])
def test_nul_in_a_body_is_422(ada: Api, field: str, value: str) -> None:
    [named] = field_errors(ada.post("/bookmarks", {**LINK, field: [value] if field == "tags" else value}))
    assert named.startswith(f"body.{field}")


@pytest.mark.parametrize(
    "path", ["/bookmarks?q=%00", "/bookmarks?tag=%00", "/bookmarks?sort=%00", "/search?q=a%00b", "/tags?q=%00"]
)
def test_nul_in_a_query_is_422_for_those_who_may_ask(ada: Api, anonymous: Api, path: str) -> None:
    assert len(field_errors(ada.request("GET", path))) == 1
    assert anonymous.request("GET", path).status_code == 401


@pytest.mark.parametrize("path", ["/bookmarks/1%00", "/bookmarks%00", "/%00"])
def test_nul_in_a_path_is_no_path(ada: Api, path: str) -> None:
    assert ada.get(path).status_code == 404


def test_a_query_that_is_too_long_is_422(ada: Api) -> None:
    assert field_errors(ada.get("/bookmarks", q="x" * 17_000)) == {"query": "too_long"}


def test_a_parameter_may_be_given_once(ada: Api) -> None:
    assert field_errors(ada.request("GET", "/bookmarks?page=1&page=2")) == {"query.page": "repeated"}


@pytest.mark.parametrize(
    "title",
    [
        "Select a course from the list'; --",
        "Robert'); DROP TABLE bookmarks;--",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "${jndi:ldap://example.org}",
        "{{7*7}}",
        "100 % -- OR 1=1",
        "\u202eright to left\u202c and e\u0301 \U0001f9d1\u200d\U0001f680 \ufffd\ufeff",
        "\x01\x1f\x7f\x85",
    ],
)
def test_no_word_is_forbidden_and_no_character_lost(ada: Api, title: str) -> None:
    """R-HTTP 4."""
    saved = ada.save("https://example.org/words", title=title, notes=title)
    assert (saved["title"], saved["notes"]) == (title, title)
    assert ada.get(f"/bookmarks/{saved['id']}").json["title"] == title


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("title", "x" * 2001, {"body.title": "too_long"}),
        ("title", 1, {"body.title": "string_type"}),
        ("is_read", None, {"body.is_read": "value_error"}),
        ("is_read", 1, {"body.is_read": "bool_type"}),
        ("tags", ["ok", 1], {"body.tags.1": "string_type"}),
        ("url", "nowhere", {"body.url": "value_error"}),
        ("project_ids", [0], {"body.project_ids.0": "greater_than_equal"}),
    ],
)
def test_a_fault_names_its_field_and_nothing_else(ada: Api, field: str, value: Any, named: dict[str, str]) -> None:
    """What may be left out was a union for pydantic, whose branches stood in the field's name."""
    saved = ada.save("https://example.org/patched")
    assert field_errors(ada.patch(f"/bookmarks/{saved['id']}", {field: value})) == named


def test_a_text_that_is_too_long_has_characters_not_items(ada: Api) -> None:
    response = ada.post("/bookmarks", {**LINK, "title": "x" * 2001})
    assert response.json["errors"][0]["message"] == "Input should have at most 2000 characters"


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_may_begin_with_a_byte_order_mark(ada: Api, packed: bool) -> None:
    body = codecs.BOM_UTF8 + json.dumps(LINK).encode()
    answer = post(ada, gzip.compress(body), Content_Encoding="gzip") if packed else post(ada, body)
    assert answer.status_code == 201
    assert answer.json["url"] == LINK["url"]
    login = {"data": codecs.BOM_UTF8, "content_type": "application/json"}
    assert ada.request("POST", "/auth/refresh", **login).status_code == 401, "read as a body that was left out"


@pytest.mark.parametrize("given", ["application/merge-patch+json", "Application/Merge-Patch+JSON; charset=utf-8"])
def test_a_patch_may_come_as_a_merge_patch_and_nothing_else_may(ada: Api, given: str) -> None:
    saved = ada.save("https://example.org/a", title="A", notes="stay")
    path, body = f"/bookmarks/{saved['id']}", {"data": b'{"title": "B"}', "content_type": given}
    patched = ada.request("PATCH", path, **body)
    assert (patched.status_code, patched.json["title"], patched.json["notes"]) == (200, "B", "stay")
    assert ada.request("POST", "/bookmarks", **{**body, "data": json.dumps(LINK).encode()}).status_code == 415
    project = ada.post("/projects", {"name": "P"}).json["id"]
    assert ada.request("PUT", f"/projects/{project}/bookmarks/{saved['id']}", **body).status_code == 415


def bulk(person: Api, data: bytes, **headers: str) -> TestResponse:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.request("POST", "/bookmarks/bulk", data=data, content_type="application/json", headers=names)


def links(number: int, size: int) -> bytes:
    """A bulk of so many links, each of so many bytes."""
    items = [{"url": f"https://example.org/{index}", "capture": False, "notes": "n"} for index in range(number)]
    for item in items:
        item["notes"] = "n" * (size - len(json.dumps(item)))
    return json.dumps({"items": items}).encode()


def test_a_bulk_of_a_thousand_long_links_is_taken_whole(ada: Api) -> None:
    body = links(1000, 16_000)
    assert len(body) > 15 * 2**20
    answer = bulk(ada, body)
    assert (answer.status_code, answer.json["created"]) == (200, 1000)


@pytest.mark.parametrize("packed", [False, True])
def test_the_limit_of_a_bulk_is_told(ada: Api, packed: bool) -> None:
    body = b" " * (BULK_LIMIT_BYTES + 1)
    answer = bulk(ada, gzip.compress(body), Content_Encoding="gzip") if packed else bulk(ada, body)
    assert answer.status_code == 413
    assert "16 MiB" in answer.json["detail"]
    document = ada.get("/api/openapi.json").json["paths"]["/api/v1/bookmarks/bulk"]["post"]
    assert document["requestBody"]["description"] == "At most 16 MiB"
    assert "16 MiB" in document["responses"]["413"]["description"]
    assert "1 MiB" in post(ada, padded(BODY_LIMIT_BYTES + 1)).json["detail"]


def test_a_long_body_is_long_for_its_texts(ada: Api) -> None:
    """Two million numbers would take thirty times their room."""
    numbers = b'{"items": [[' + b"0," * 2**21 + b"0]]}"
    assert field_errors(bulk(ada, numbers)) == {"body": "too_long"}
    texts = json.dumps({"items": ["," * 2**21]}).encode()
    assert bulk(ada, texts).json["invalid"] == 1


def test_few_large_bodies_are_read_at_a_time(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_validation, "LARGE_BODY_SECONDS", 0.05)
    room = threading.BoundedSemaphore(1)
    monkeypatch.setattr(input_validation, "_room", room)
    large, small = links(100, 16_000), links(2, 1000)
    assert bulk(ada, large).status_code == 200
    with room:
        answer = bulk(ada, large)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert bulk(ada, gzip.compress(large), Content_Encoding="gzip").status_code == 503
        assert bulk(ada, small).status_code == 200
        assert bulk(Api(ada.app), large).status_code == 401
    assert bulk(ada, b"{" + large).status_code == 400
    assert bulk(ada, large).status_code == 200
