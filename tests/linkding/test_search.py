"""linkding's search syntax as Fuze's query language."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.bookmarks.syntax import parse
from backend.errors import Invalid
from backend.linkding.bookmarks.expressions import query_of
from backend.linkding.bookmarks.search import read_search

pytestmark = pytest.mark.unit
PIECES = ["a", "b", "c", "and", "or", "not", "(", ")", '"', "'", "#t", "#t-u", "!unread", "!x", "-d", "\\", " ", "C#"]


def meant(text: str) -> str:
    return str(query_of(read_search(text)))


@pytest.mark.parametrize(
    ("search", "query"),
    [
        ("a b", "a b"),
        ("a AND b", "a b"),
        ("a or b", "a OR b"),
        ("a or b c", "a OR b a OR c"),
        ("not a", "-a"),
        ("not not a", "a"),
        ("not (a or b)", "-a -b"),
        ("not (a b)", "-a OR -b"),
        ("a or (b and (c or not d))", "a OR b a OR c OR -d"),
        ("#tag", "tag:tag"),
        ("#to-read", 'tag:to-read OR tag:"to read"'),
        ("not #to-read", '-tag:to-read -tag:"to read"'),
        ("!untagged !unread !purple", "is:untagged is:unread"),
        ("\"a b\" 'c d'", '"a b" "c d"'),
        (r'"say \"hi\""', r'"say \"hi\""'),
        ('"open', '"open"'),
        ("it's C# -d site:example.org", "it's C# -d site:example.org"),
        ("a and", "a"),
        ("or a", "a"),
        ("( a", "a"),
        ("a ) b", "a b"),
        ("a () b", "a b"),
        ("a or or b", "a OR b"),
        ("", ""),
        ("()", ""),
        ("not", ""),
        ("#", ""),
    ],
)
def test_a_search_reads_as_a_query(search: str, query: str) -> None:
    assert meant(search) == query


@given(st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join))
def test_no_search_is_an_error_and_what_it_means_reads_back_as_the_same(search: str) -> None:
    try:
        query = query_of(read_search(search))
    except Invalid:
        return
    assert parse(str(query)) == query


@given(st.text(max_size=60))
def test_any_text_can_be_read(search: str) -> None:
    query_of(read_search(search))


@pytest.mark.parametrize("piece", ["(", ")(", "not ", "a or b ", "(a b) or ", "(a or b) ", "'", '"\\', "#a-b or "])
def test_long_searches_are_read_in_no_time(piece: str) -> None:
    started = time.perf_counter()
    read_search(piece * (1_000 // len(piece)))
    assert time.perf_counter() - started < 0.5


def test_what_would_be_exponentially_long_is_refused() -> None:
    with pytest.raises(Invalid):
        meant(" or ".join(f"(a{at} b{at})" for at in range(10)))
    assert meant("not (" + " ".join(f"(a{at} or b{at})" for at in range(5)) + ")").count("OR") == 128
