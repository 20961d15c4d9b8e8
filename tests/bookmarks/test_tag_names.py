"""Names of tags: folded on the way in, and whatever a name holds, there is a query that finds it."""

from __future__ import annotations

import re
import unicodedata
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.text.tag_names import fold_name, tag_key
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
# As likely as any: what queries are made of.
PIECES = st.sampled_from([*'"“”„\\-#(): ', "OR", "tag:", "\u00a0", "e\u0301", "\u200b"])
NAMES = st.lists(PIECES | st.text(CHARACTERS, max_size=5), min_size=1, max_size=12).map("".join)
USABLE = NAMES.filter(lambda name: len(name) <= 100 and 0 < len(fold_name(name)) <= 100)
NUMBERS = count()


def query_for(name: str) -> str:
    """The query for a tag, as a client writes it: quoted, with quotes and backslashes escaped."""
    escaped = re.sub(r'([\\"“”„‟])', r"\\\1", name)
    return f'tag:"{escaped}"'


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=USABLE)
@example(name="to  read")
@example(name='7" vinyl')
@example(name="nb\u00a0sp")
@example(name="Cafe\u0301")
@example(name="\\")
@example(name='\\"')
@example(name="ends\\")
@example(name="“curly”")
@example(name="İstanbul ß ΣΑΣ \u1f80")
def test_whatever_a_name_holds_a_query_finds_it(ada: Api, name: str) -> None:
    saved = ada.save(f"https://example.org/{next(NUMBERS)}", tags=[name])
    (stored,) = saved["tags"]
    for asked in (name, stored, name.upper() if tag_key(name.upper()) == tag_key(name) else name):
        for query in ({"q": query_for(asked)}, {"tag": asked}, {"q": f"#{query_for(asked)[4:]}"}):
            found = ada.get("/bookmarks", **query, page_size=100).json["items"]
            assert saved["id"] in [item["id"] for item in found], query
    assert saved["id"] in [
        item["bookmark"]["id"] for item in ada.get("/search", q=query_for(name), page_size=100).json["items"]
    ]
    assert unicodedata.is_normalized("NFC", stored)
    assert stored == " ".join(stored.split())


@given(USABLE)
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)
    assert tag_key(tag_key(name)) == tag_key(fold_name(name)) == tag_key(name)


@pytest.mark.parametrize(
    ("given_names", "stored"),
    [
        (["to  read", "to read", "to\u00a0read", "to\t\nread ", "TO READ"], ["to read"]),
        (["Caf\u00e9", "Cafe\u0301", "CAFE\u0301"], ["Caf\u00e9"]),
        (["\u3000kept\u2003", "kept", "\ufeffkept"], ["kept"]),
        (['7" vinyl', '7"  vinyl'], ['7" vinyl']),
    ],
)
def test_names_that_read_alike_are_one_tag_whatever_way_they_come_in(
    ada: Api, given_names: list[str], stored: list[str]
) -> None:
    assert ada.save("https://example.org/1", tags=given_names)["tags"] == stored
    other = ada.save("https://example.org/2", tags=["other"])
    for name in given_names:
        ada.save(f"https://example.org/{name.encode().hex()}", tags=[name])
        assert ada.patch(f"/bookmarks/{other['id']}", {"tags": [name]}).json["tags"] == stored
        action = {"ids": [other["id"]], "action": "remove_tags", "tags": [name]}
        assert ada.post("/bookmarks/actions", action).json == {"affected": 1}
        assert ada.post("/bookmarks/actions", {**action, "action": "add_tags"}).json == {"affected": 1}
        assert ada.get("/bookmarks", tag=name).json["total"] == ada.get("/bookmarks", q=query_for(name)).json["total"]
        assert ada.get("/tags", q=name).json["total"] == 1
    tags = {item["name"]: item["id"] for item in ada.get("/tags").json["items"]}
    assert list(tags) == sorted([*stored, "other"], key=tag_key)
    for name in given_names:
        assert ada.patch(f"/tags/{tags['other']}", {"name": name}).status_code == 409


@pytest.mark.parametrize("name", ["", " ", "\u00a0", "\u3000\u200b", "x" * 101, "\u0958" * 60])
def test_a_name_that_is_blank_or_too_long_once_folded_is_422(ada: Api, name: str) -> None:
    assert set(field_errors(ada.post("/bookmarks", {"url": "https://example.org/", "tags": [name]}))) == {"body.tags.0"}


@pytest.mark.parametrize(("title", "q"), [("Fix #1234 in the parser", "#1234"), ("Write C#9 records", "C#9")])
@pytest.mark.parametrize("path", ["/bookmarks", "/search"])
def test_a_hash_before_what_is_no_tag_is_part_of_a_word(ada: Api, path: str, title: str, q: str) -> None:
    ada.save("https://example.org/1", title=title)
    ada.save("https://example.org/2", title="something else", tags=["other"])
    for asked in (q, title):
        assert ada.get(path, q=asked).json["total"] == 1
    assert ada.get(path, q=f"tag:{q.strip('#')}").json["total"] == 0
    # Once there is such a tag, it is meant.
    ada.save("https://example.org/3", title="tagged", tags=["1234"])
    found = ada.get(path, q="#1234").json["items"]
    assert [(item.get("bookmark") or item)["title"] for item in found] == ["tagged"]


def test_another_organizations_tags_do_not_make_a_filter(ada: Api, bob: Api) -> None:
    bob.save("https://example.org/1", tags=["1234"])
    ada.save("https://example.org/2", title="Fix #1234")
    assert ada.titles(q="#1234") == ["Fix #1234"]


# With the links that each finds: without a port, those on any.
NAS, NAS_5000, NAS_8080 = "https://nas/", "http://nas:5000/photos", "http://nas:8080/"
FD00, FD00_5000, DOCS = "http://[fd00::1]/", "http://[fd00::1]:5000/", "https://docs.example.com:5000/"
FOUND = [
    (["nas:5000", "http://nas:5000/", "HTTP://NAS:5000/x?y"], [NAS_5000]),
    (["nas", "http://nas", "https://nas/", "nas/photos"], [NAS, NAS_5000, NAS_8080]),
    (["nas:443", "https://nas:443/", "nas:80"], [NAS]),
    (["[fd00::1]", "http://[fd00::1]/", "fd00::1"], [FD00, FD00_5000]),
    (["[fd00::1]:80", "http://[fd00::1]:80/"], [FD00]),
    (["[fd00::1]:5000", "http://[FD00::1]:5000/a"], [FD00_5000]),
    (["docs.example.com:5000", "docs.example.com", "https://www.docs.example.com"], [DOCS]),
    (["nas:5", "[fd00::5000]", "nas:50001"], []),
]
SITES = {site: urls for sites, urls in FOUND for site in sites}
URLS = [NAS, NAS_5000, NAS_8080, FD00, FD00_5000, DOCS]


@pytest.mark.parametrize("site", SITES)
def test_a_site_is_found_as_it_is_pasted(ada: Api, site: str) -> None:
    for url in URLS:
        ada.save(url, title=url)
    expected = sorted(SITES[site])
    assert sorted(ada.titles(q=f"site:{site}")) == expected
    assert sorted(ada.titles(domain=site)) == expected
    assert sorted(item["bookmark"]["title"] for item in ada.get("/search", q=f"site:{site}").json["items"]) == expected
    assert sorted(ada.titles(q=f"-site:{site}")) == sorted({*URLS} - {*expected})
    action = {"filter": {"domain": site}, "action": "read"}
    assert ada.post("/bookmarks/actions", action).json == {"affected": len(expected)}


def test_a_port_holds_for_hosts_under_a_site_too(ada: Api) -> None:
    ada.save("https://docs.example.com:5000/", title="docs")
    ada.save("https://example.com.evil.example:5000/", title="evil")
    ada.save("https://notexample.com:5000/", title="other")
    assert ada.titles(q="site:example.com:5000") == ["docs"]
    assert ada.titles(domain="example.com:5000") == []
