"""Text never loses anything: all of Unicode but NUL comes back as it went in."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backend.extensions import db
from backend.text.tag_names import fold_name, tag_key
from tests.support.api import Api, field_errors
from tests.support.pages import add_page

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=300)
TAGS = st.lists(ANY_TEXT.map(lambda name: name[:100]), max_size=6)
PROPERTY = settings(
    max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BLANKS = " \t\r\n"
AWKWARD = [
    "Select a course from the list'; --",
    "Robert'); DROP TABLE bookmarks;--",
    "<script>alert('x')</script>",
    "../../etc/passwd",
    "${jndi:ldap://x}",
    "{{7*7}} %s %(name)s :name {0} $1 ?",
    "\\ \\\\ \\n \\u0041 \\x00",
    "' OR 1=1 UNION SELECT password_hash FROM users /*",
    "onload=javascript:alert(1)",
    " \u00a0\u3000 spaces \u2003\u200b ",
    "\x01\x02\x1b[31m\x7f\x85\u2028\u2029",
    "\ufeffBOM \ufffe\uffff \ufffd",
    "e\u0301 \u00e9 \u1e9b\u0323",
    "👩‍👩‍👧‍👦 🏳️‍🌈 \U0010ffff \ue000\ue001\ue002",
    "\u202eright to left\u202c שלום مرحبا",
    "İıſß ΣςΆ",
    "a" * 2_000,
    "😀" * 2_000,
    "null",
    "\r\n\t",
]


def test_no_word_is_blocked_and_none_is_changed(ada: Api) -> None:
    """R-HTTP 4."""
    for place, words in enumerate(AWKWARD):
        texts = {"title": words, "description": words, "notes": words}
        saved = ada.save(f"https://example.org/{place}", **texts)
        assert {name: saved[name] for name in texts} == texts
        assert ada.get(f"/bookmarks/{saved['id']}").json == saved
        assert ada.get("/bookmarks").json["items"][0] == saved
        assert ada.get("/bookmarks", q=words[:500]).status_code == 200
        assert ada.get("/search", q=words[:500], mode="text").status_code == 200


def test_the_longest_text_with_the_most_words_can_be_saved_captured_and_found(ada: Api, context: Flask) -> None:
    """Hyphenated pairs of four-byte letters that never come twice: PostgreSQL's search document bursts at 1 MB."""
    letters = [chr(point) for point in range(0x20000, 0x2A6D0)]
    rng = random.Random(5)

    def words(length: int) -> str:
        pairs = ["-".join("".join(rng.choices(letters, k=2)) for _ in range(2)) for _ in range(length // 6)]
        return " ".join(pairs)

    # What comes last is searched as far as the document has room.
    texts = {"title": words(2_000), "description": words(50_000), "notes": words(180_000)}
    body = orjson.dumps({"url": "https://example.org/", "capture": False, **texts})
    saved = ada.request("POST", "/bookmarks", data=body, content_type="application/json")
    assert saved.status_code == 201
    assert {name: saved.json[name] for name in texts} == texts
    add_page(saved.json["id"], words(200_000))
    changed = ada.patch(f"/bookmarks/{saved.json['id']}", {"tags": ["found"]})
    assert changed.status_code == 200
    for q in ("found", texts["title"][:5], texts["description"][:5], texts["notes"][:5]):
        assert ada.get("/bookmarks", q=q).json["total"] == 1


@PROPERTY
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
@example("\ud7ff\ue000\uffff\U00010000", "\x01", "\u0600\ufdfa" * 50)
def test_any_text_comes_back(ada: Api, title: str, description: str, notes: str) -> None:
    texts = {"title": title, "description": description, "notes": notes}
    known = ada.post("/bookmarks", {"url": "https://example.org/a", "capture": False}).json
    changed = ada.patch(f"/bookmarks/{known['id']}", texts)
    assert changed.status_code == 200
    assert {name: changed.json[name] for name in texts} == texts
    assert ada.get(f"/bookmarks/{known['id']}").json == changed.json


@PROPERTY
@given(TAGS)
@example(["\u00a0", "\u3000a\u3000", "ß", "SS", "İ", "i̇"])
@example([" a ", "A", "\ta\n"])
def test_any_tag_comes_back_without_the_blanks_at_its_ends(ada: Api, context: Flask, names: list[str]) -> None:
    db.session.execute(text("DELETE FROM tags"))
    db.session.execute(text("DELETE FROM bookmarks"))
    db.session.commit()
    folded = [fold_name(name) for name in names]
    response = ada.post("/bookmarks", {"url": "https://example.org/a", "capture": False, "tags": names})
    if "" in folded:
        assert response.status_code == 422
        return
    first_spellings = {tag_key(name): name for name in reversed(folded)}
    assert response.status_code == 201
    assert {tag_key(name): name for name in response.json["tags"]} == first_spellings
    assert [tag_key(name) for name in response.json["tags"]] == list(dict.fromkeys(map(tag_key, folded)))
    for name in response.json["tags"][:2]:
        other_case = name.upper() if name.upper().casefold() == name.casefold() else name
        assert ada.get("/bookmarks", tag=other_case).json["total"] == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/bookmarks", {"url": "https://example.org/\x00"}, "url"),
        ("/bookmarks", {"url": "https://example.org/", "title": "a\x00b"}, "title"),
        ("/bookmarks", {"url": "https://example.org/", "description": "\x00"}, "description"),
        ("/bookmarks", {"url": "https://example.org/", "notes": "a\x00"}, "notes"),
        ("/bookmarks", {"url": "https://example.org/", "tags": ["ok", "\x00a"]}, "tags.1"),
        ("/bookmarks/actions", {"action": "add_tags", "ids": [1], "tags": ["\x00"]}, "tags.0"),
        ("/bookmarks/actions", {"action": "read", "filter": {"q": "\x00"}}, "filter.q"),
        ("/bookmarks/actions", {"action": "read", "filter": {"tag": ["\x00"]}}, "filter.tag.0"),
        ("/bookmarks/actions", {"action": "read", "filter": {"domain": "\x00"}}, "filter.domain"),
    ],
)
def test_nul_in_a_body_is_422(ada: Api, path: str, body: dict[str, Any], field: str) -> None:
    assert set(field_errors(ada.post(path, body))) == {f"body.{field}"}


@pytest.mark.parametrize("field", ["url", "title", "description", "notes", "tags"])
def test_nul_in_a_change_is_422(ada: Api, field: str) -> None:
    saved = ada.save("https://example.org/a")
    value = ["\x00"] if field == "tags" else "https://example.org/\x00"
    faults = field_errors(ada.patch(f"/bookmarks/{saved['id']}", {field: value}))
    assert set(faults) == {"body.tags.0" if field == "tags" else f"body.{field}"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/bookmarks", "q"),
        ("/bookmarks", "tag"),
        ("/bookmarks", "domain"),
        ("/bookmarks", "cursor"),
        ("/bookmarks", "sort"),
        ("/bookmarks", "unknown\x00"),
        ("/bookmarks/lookup", "url"),
        ("/tags", "q"),
        ("/jobs", "cursor"),
        ("/search", "q"),
        ("/search", "mode"),
    ],
)
def test_nul_in_a_query_is_422(ada: Api, path: str, name: str) -> None:
    assert f"query.{name}" in field_errors(ada.get(path, **{name: "a\x00b"}))


@pytest.mark.parametrize("path", ["/bookmarks/%00", "/bookmarks/1%00", "/tags/%001", "/jobs/%00", "/%00"])
def test_nul_in_a_path_finds_nothing(ada: Api, path: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        assert ada.request(method, path, json={}).status_code in (404, 405, 422)
