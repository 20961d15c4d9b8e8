"""The query language, by example and by property."""

from __future__ import annotations

import time
from dataclasses import FrozenInstanceError
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.text.query_language import OPERATOR, STATES, AnyOf, Filter, Phrase, Query, Term, parse

pytestmark = pytest.mark.unit


def parsed(*clauses) -> Query:
    return Query(tuple(clauses))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", parsed()),
        ("   \t\n ", parsed()),
        ("rust", parsed(Term("rust"))),
        ("rust  async", parsed(Term("rust"), Term("async"))),
        ("(rust async)", parsed(Term("rust"), Term("async"))),
        ("f(x)", parsed(Term("f"), Term("x"))),
        ('"rate limiting"', parsed(Phrase("rate limiting"))),
        ("“rate limiting”", parsed(Phrase("rate limiting"))),
        ("„rate  limiting“", parsed(Phrase("rate limiting"))),
        ('"(a) OR -b tag:c"', parsed(Phrase("(a) OR -b tag:c"))),
        ('a"b c"d', parsed(Term("a"), Phrase("b c"), Term("d"))),
        ("-rust", parsed(Term("rust", True))),
        ('-"rate limiting"', parsed(Phrase("rate limiting", True))),
        ("-tag:x", parsed(Filter("tag", "x", True))),
        ("-#x", parsed(Filter("tag", "x", True))),
        ("e-mail C++ C# .NET foo_bar", parsed(*map(Term, ["e-mail", "C++", "C#", ".NET", "foo_bar"]))),
        ("日本語 поиск", parsed(Term("日本語"), Term("поиск"))),
    ],
)
def test_words_phrases_and_what_must_not_be_there(text, query):
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a OR b", parsed(AnyOf((Term("a"), Term("b"))))),
        ("a OR b OR c", parsed(AnyOf((Term("a"), Term("b"), Term("c"))))),
        ("x a OR b y", parsed(Term("x"), AnyOf((Term("a"), Term("b"))), Term("y"))),
        ("a OR b c OR d", parsed(AnyOf((Term("a"), Term("b"))), AnyOf((Term("c"), Term("d"))))),
        ('tag:a OR #b OR "c d"', parsed(AnyOf((Filter("tag", "a"), Filter("tag", "b"), Phrase("c d"))))),
        ("a OR -b", parsed(AnyOf((Term("a"), Term("b", True))))),
        ('"a"OR"b"', parsed(AnyOf((Phrase("a"), Phrase("b"))))),
        ("a or b", parsed(Term("a"), Term("or"), Term("b"))),
        ("a Or b", parsed(Term("a"), Term("Or"), Term("b"))),
        ('a "OR" b', parsed(Term("a"), Phrase("OR"), Term("b"))),
    ],
)
def test_or_binds_tighter_than_standing_side_by_side(text, query):
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tag:web", Filter("tag", "web")),
        ("#web", Filter("tag", "web")),
        ("TAG:Web", Filter("tag", "Web")),
        ('tag:"two words"', Filter("tag", "two words")),
        ('#"two words"', Filter("tag", "two words")),
        ("tag:“two words”", Filter("tag", "two words")),
        ('tag:"a (b)"', Filter("tag", "a (b)")),
        ("tag:c++", Filter("tag", "c++")),
        ("##1", Filter("tag", "#1")),
        ("site:example.com", Filter("site", "example.com")),
        ("site:WWW.Example.com.", Filter("site", "www.example.com")),
        ("site:https://example.com/a?b", Filter("site", "example.com")),
        ("site:bücher.example", Filter("site", "bücher.example")),
        ("site:localhost", Filter("site", "localhost")),
        ("site:nas:5000", Filter("site", "nas:5000")),
        ("site:http://nas:5000/", Filter("site", "nas:5000")),
        ("site:http://me@nas:5000/a?b#c", Filter("site", "nas:5000")),
        ("site:example.com?q=1", Filter("site", "example.com")),
        ("site:[fd00::1]", Filter("site", "[fd00::1]")),
        ("site:fd00::1", Filter("site", "[fd00::1]")),
        ("site:[FD00::1]:8080", Filter("site", "[fd00::1]:8080")),
        ("site:https://[fd00::1]:8080/a", Filter("site", "[fd00::1]:8080")),
        (r'tag:"7\" vinyl"', Filter("tag", '7" vinyl')),
        (r'#"7\" vinyl"', Filter("tag", '7" vinyl')),
        (r'tag:"a\\b\“c"', Filter("tag", r"a\b“c")),
        (r'tag:"C:\x"', Filter("tag", r"C:\x")),
        (r'tag:"ends\\"', Filter("tag", "ends\\")),
        ("project:7", Filter("project", 7)),
        ("project:007", Filter("project", 7)),
        *((f"is:{state}", Filter("is", state)) for state in STATES),
        ("Is:Unread", Filter("is", "unread")),
        ('is:"unread"', Filter("is", "unread")),
        ("before:2026-01-31", Filter("before", date(2026, 1, 31))),
        ("after:2024-02-29", Filter("after", date(2024, 2, 29))),
        ("lang:en", Filter("lang", "en")),
        ("lang:pt-BR", Filter("lang", "pt")),
    ],
)
def test_filters(text, found):
    assert parse(text) == parsed(found)


WORDS_AFTER_ALL = r"""
    - -- --verbose OR -OR # -# tag: is: project: site: + \ : & http://a.b/c std::vector C:\Windows
    is:purple -is:purple is:unread,read IS:Purple colour:red lang:english lang:e lang:en_GB
    before:yesterday after:2026-1-1 after:20260101 before:2026-02-30 before:0000-01-01 before:２０２６-01-31
    project:abc project:-1 project:9999999999999999999 project:٧ project:1.5
    site:.com site:a..b site:a:0 site:a:65536 site:a:b site:[::g] site:[fd00::1 site:ftp://a.b
"""


@pytest.mark.parametrize("text", WORDS_AFTER_ALL.split())
def test_what_does_not_parse_is_searched_for_as_a_word(text):
    minus = text.startswith("-") and len(text) > 1 and text[1] != "-"
    assert parse(text) == parsed(Term(text[1:], True) if minus else Term(text))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('"', parsed()),
        ('""', parsed()),
        ('" "', parsed()),
        ('"""', parsed()),
        ('-""', parsed(Term("-"))),
        ('"a b', parsed(Term("a"), Term("b"))),
        ('a 5" b', parsed(Term("a"), Term("5"), Term("b"))),
        ('tag:""', parsed(Term("tag:"))),
        ('#"', parsed(Term("#"))),
        ('tag:"a b', parsed(Term("tag:"), Term("a"), Term("b"))),
        ('is:"purple rain"', parsed(Phrase("is:purple rain"))),
        ('-is:"purple rain"', parsed(Phrase("is:purple rain", True))),
        ("- a", parsed(Term("-"), Term("a"))),
        ("-(a)", parsed(Term("-"), Term("a"))),
        ("OR a", parsed(OPERATOR, Term("a"))),
        ("a OR", parsed(Term("a"), OPERATOR)),
        ("a OR OR b", parsed(Term("a"), OPERATOR, OPERATOR, Term("b"))),
        ("OR OR OR", parsed(OPERATOR, OPERATOR, OPERATOR)),
        ("a OR b OR", parsed(AnyOf((Term("a"), Term("b"))), OPERATOR)),
        ('a OR "" b', parsed(AnyOf((Term("a"), Term("b"))))),
        ("(a OR) b", parsed(AnyOf((Term("a"), Term("b"))))),
        ("()", parsed()),
        (r'"C:\" b', parsed(Term("C:\\"), Term("b"))),
        (r'"a \"b c\" d', parsed(*map(Term, ["a", "\\", "b", "c\\", "d"]))),
        (r'-"a tag:b -c', parsed(Term("-"), Term("a"), Filter("tag", "b"), Term("c", True))),
        (r'"say \"hi\"" x', parsed(Phrase('say "hi"'), Term("x"))),
        ("--a --#b --tag:c", parsed(Term("--a"), Term("--#b"), Term("--tag:c"))),
    ],
)
def test_torn_operators_lose_no_word(text, query):
    assert parse(text) == query


def test_a_query_tells_its_parts():
    query = parse('fast -slow "rate limiting" -"no way" redis OR "in memory" OR -x #db -is:read is:read OR is:unread')
    assert query.words == ("fast", "redis")
    assert query.phrases == ("rate limiting", "in memory")
    assert query.text == "fast rate limiting redis in memory"
    assert query.negated == (Term("slow", True), Phrase("no way", True))
    assert query.filters == (Filter("tag", "db"), Filter("is", "read", True))
    assert [len(clause.alternatives) for clause in query.alternatives] == [3, 2]
    assert not query.is_plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [("", True), ("a b", True), ("a -", True), ('a "b"', False), ("a -b", False), ("a OR b", False), ("a #b", False)],
)
def test_plain_queries_are_nothing_but_wanted_words(text, plain):
    assert parse(text).is_plain is plain


@pytest.mark.parametrize(
    ("text", "keys", "meant"),
    [
        ("#1234 fixed", set(), parsed(Term("#1234"), Term("fixed"))),
        ("#1234 fixed", {"1234"}, parsed(Filter("tag", "1234"), Term("fixed"))),
        ("#Web -#dev", {"web"}, parsed(Filter("tag", "Web"), Term("#dev", True))),
        ('#"two words" OR #a', {"a"}, parsed(AnyOf((Phrase("#two words"), Filter("tag", "a"))))),
        ("tag:1234 C#9", set(), parsed(Filter("tag", "1234"), Term("C#9"))),
    ],
)
def test_a_hash_is_a_filter_where_there_is_such_a_tag_and_a_word_else(text, keys, meant):
    assert parse(text).with_tags(keys) == meant


def test_filters_that_were_typed_with_a_hash_print_with_one():
    assert str(parse('#web tag:dev -#"two words"')) == '#web tag:dev -#"two words"'


def test_a_query_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        parse("a").clauses = ()  # type: ignore[misc]


# Pieces that mean something, so that random texts hit more than words.
TORN = "OR tag: Is: unread project: 7 site: a.b before: 2026-01-31 lang:en"
PIECES = st.sampled_from([*'-"“”„()#: ', " OR ", *TORN.split()])
TEXTS = st.lists(PIECES | st.text(max_size=4)).map("".join) | st.text()


@given(TEXTS)
@example("a ( OR ) b")
@example('-"" -- "OR" -OR')
def test_every_text_is_a_query_that_prints_as_itself(text):
    query = parse(text)
    assert parse(str(query)) == query
    assert str(parse(str(query))) == str(query)


WORDS = st.text(min_size=1).filter(lambda text: parse(text) == parsed(Term(text)) and text != "OR")
ONE_SPACED = st.text().map(lambda text: " ".join(text.split()))
PHRASES = ONE_SPACED.filter(lambda text: parse(f'"{text}"') == parsed(Phrase(text)))
FILTERS = st.one_of(
    st.builds(Filter, st.just("tag"), PHRASES, st.booleans()),
    st.builds(Filter, st.just("site"), st.sampled_from(["example.com", "a-b.c.example", "xn--p1ai"]), st.booleans()),
    st.builds(Filter, st.just("project"), st.integers(0, 10**18 - 1), st.booleans()),
    st.builds(Filter, st.just("is"), st.sampled_from(STATES), st.booleans()),
    st.builds(Filter, st.sampled_from(["before", "after"]), st.dates(), st.booleans()),
    st.builds(Filter, st.just("lang"), st.sampled_from(["en", "de", "zh", "haw"]), st.booleans()),
)
# A word with a dash before it is a word of its own.
NEGATABLE = st.builds(Term, WORDS.filter(lambda text: not text.startswith("-")), st.booleans()) | st.builds(Term, WORDS)
UNITS = NEGATABLE | st.builds(Phrase, PHRASES, st.booleans()) | FILTERS
CLAUSES = UNITS | st.builds(AnyOf, st.lists(UNITS, min_size=2, max_size=4).map(tuple))


@given(st.builds(Query, st.lists(CLAUSES, max_size=6).map(tuple)))
def test_every_query_prints_as_what_parses_back_to_it(query):
    assert parse(str(query)) == query


@pytest.mark.parametrize(
    "piece", ['"', "-", "#", "OR ", 'tag:"', "a OR ", '-"', "(", "is:", "- -", "“", "a", '\\"', '"\\"', "\\"]
)
def test_reading_takes_linear_time(piece):
    text = piece * (100_000 // len(piece)) + '"'
    started = time.process_time()
    parse(text)
    assert time.process_time() - started < 2
