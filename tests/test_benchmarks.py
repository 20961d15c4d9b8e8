"""The parts of the measurements that every figure rests on: corpora, queries, requests, verdicts."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter

import httpx
import pytest

from backend.http.validation import BODY_LIMIT_BYTES
from backend.text.urls import url_hash
from benchmarks import names, relevance, search_speed
from benchmarks.corpora import (
    DATA,
    WordDraw,
    draw_beginnings,
    draw_queries,
    link_texts,
    load_links,
    load_sentences,
    long_pages,
    split_sentences,
    varied_links,
)
from benchmarks.loading import BODY_BYTES, bulk_bodies
from benchmarks.relevance_sets import REFERENCES, Document, RelevanceSet, Scores
from benchmarks.stack import SessionAuth
from benchmarks.timing import TimedAnswer, Timings, ask_all

pytestmark = pytest.mark.unit
needs_data = pytest.mark.skipif(not (DATA / "links.jsonl.gz").exists(), reason="the development data is not here")

TEXTS = ["the quick brown fox", "the lazy dog and the cat", "日本語 Straße C++"]
LINKS = [
    {"url": f"https://{name}.example/a?b=1#readme", "title": f"The {name} page", "description": text, "tags": [name]}
    for name, text in zip(("one", "two", "three"), TEXTS, strict=True)
]


def test_bodies_hold_all_items_in_order_and_keep_both_limits():
    items = [{"url": f"https://a.example/{n}", "title": "é" * (n * 7 % 90)} for n in range(300)]

    bodies = list(bulk_bodies(items, most_items=40, most_bytes=3_000))

    batches = [json.loads(body)["items"] for body in bodies]
    assert list(itertools.chain.from_iterable(batches)) == items
    assert max(map(len, bodies)) <= 3_000
    assert max(map(len, batches)) <= 40
    assert all(len(body) > 2_500 or len(batch) == 40 for body, batch in zip(bodies[:-1], batches[:-1], strict=True))


def test_an_item_that_fits_exactly_is_sent_and_a_larger_one_is_refused():
    (body,) = bulk_bodies([{"url": "x"}])
    assert list(bulk_bodies([{"url": "x"}] * 2, most_bytes=len(body))) == [body, body]
    with pytest.raises(ValueError, match="fits no request"):
        list(bulk_bodies([{"url": "x"}], most_bytes=len(body) - 1))


def test_the_limit_of_a_request_is_that_of_the_api():
    assert BODY_BYTES == BODY_LIMIT_BYTES


def test_queries_are_the_same_for_the_same_seed_and_others_for_another():
    queries = draw_queries(WordDraw(TEXTS), 50)
    assert queries == draw_queries(WordDraw(TEXTS), 50)
    assert queries != draw_queries(WordDraw(TEXTS), 50, seed=1)
    assert {len(query.split()) for query in queries} == {1, 2, 3, 4, 5}


def test_words_are_drawn_as_often_as_they_come():
    drawn = Counter(WordDraw(["a a a b", "x" * 31]).draw(random.Random(1), 4_000))
    assert set(drawn) == {"a", "b"}
    assert 2_800 < drawn["a"] < 3_200


def test_beginnings_have_2_to_12_characters_and_some_a_wrong_letter():
    queries = [*draw_queries(WordDraw(["searching everything everywhere"]), 500), "x"]
    beginnings = draw_beginnings(queries)
    assert beginnings == draw_beginnings(queries)
    assert {len(typed) for typed in beginnings} == set(range(2, 13))
    wrong = [typed for typed, query in zip(beginnings, queries, strict=False) if not query.startswith(typed)]
    assert 0.1 < len(wrong) / len(beginnings) < 0.2


def test_more_links_than_there_are_become_variants_with_other_addresses():
    varied = list(varied_links(LINKS, 30))
    assert varied == list(varied_links(LINKS, 30))
    assert varied[:10] == list(varied_links(LINKS, 10))
    assert len({url_hash(str(link["url"])) for link in varied}) == 30
    assert sorted(map(str, varied[:3])) == sorted(map(str, LINKS))
    assert any(link["title"] not in [one["title"] for one in LINKS] for link in varied[3:])
    words = {word.lower() for text in link_texts(LINKS) for word in text.split()} | {"c"}
    assert {word.lower() for text in link_texts(varied) for word in text.split()} <= words


def test_long_pages_keep_to_the_range_of_lengths():
    pages = list(long_pages(TEXTS, 200, shortest=30, longest=60))
    lengths = {len(page.text.split()) for page in pages}
    assert min(lengths) == 30
    assert max(lengths) == 60
    assert pages[:20] == list(long_pages(TEXTS, 20, shortest=30, longest=60))
    assert all(page.title for page in pages)


def test_sentences_end_at_their_marks_and_at_lines():
    text = "One. Two v1.2 is here! Three\n\nFour?\n***\n日本です。はい。"
    assert split_sentences(text) == ["One.", "Two v1.2 is here!", "Three", "Four?", "日本です。", "はい。"]


@needs_data
def test_the_stored_pages_give_thousands_of_sentences_for_pages_of_300_to_3000_words():
    sentences = load_sentences()
    assert len(sentences) > 5_000
    assert all(300 <= len(page.text.split()) <= 3_000 for page in long_pages(sentences, 50))


@needs_data
def test_the_real_links_fit_the_requests_and_stop_words_are_among_their_words():
    links = list(itertools.islice(varied_links(load_links(), 3_000), 3_000))
    bodies = list(bulk_bodies(links))
    assert max(map(len, bodies)) <= BODY_BYTES
    drawn = Counter(word for query in draw_queries(WordDraw(link_texts(links)), 500) for word in query.split())
    assert {"a", "the", "and"} <= {word for word, _ in drawn.most_common(20)}


def test_an_empty_title_is_left_out():
    judged = RelevanceSet("tiny", [Document("7", "T", "text"), Document("8", " ", "more")], {}, {})
    assert list(relevance.bookmark_items(judged)) == [
        {"url": "https://tiny.example/1", "title": "T", "description": "text", "capture": False},
        {"url": "https://tiny.example/2", "description": "more", "capture": False},
    ]


def test_a_long_query_is_cut_between_words():
    assert relevance.cut_query("short one", 20) == "short one"
    assert relevance.cut_query("one two three", 7) == "one two"
    assert relevance.cut_query("one two three", 9) == "one two"
    assert relevance.cut_query("onetwothree", 3) == "one"


def _table(mode, *differences):
    reference = relevance.REFERENCE_OF[mode]
    return {
        name: {mode: Scores(REFERENCES[name][reference].ndcg_10 + difference, 0.5)}
        for name, difference in zip(("cranfield", "cacm"), differences, strict=True)
    }


@pytest.mark.parametrize(
    ("mode", "differences", "verdicts"),
    [
        ("text", (0.011, -0.009), ["PASS", "PASS"]),
        ("text", (0.005, -0.009), ["FAIL", "PASS"]),
        ("text", (0.1, -0.011), ["PASS", "FAIL"]),
        ("semantic", (-0.0049, 0.0), ["PASS"]),
        ("semantic", (-0.0051, 0.1), ["FAIL"]),
        ("hybrid", (0.026, -0.0049), ["PASS", "PASS"]),
        ("hybrid", (0.01, 0.008), ["FAIL", "PASS"]),
    ],
)
def test_goals_are_judged_by_the_mean_and_by_the_worst_set(mode, differences, verdicts):
    lines = list(relevance.summary(_table(mode, *differences)))
    assert [line[:4] for line in lines[2:]] == verdicts


@pytest.mark.parametrize(("among", "verdict"), [(-0.0049, "PASS"), (-0.0051, "FAIL"), (0.02, "PASS")])
def test_english_is_held_to_what_it_is_alone(among, verdict):
    alone = _table("text", 0.0, 0.0)
    mixed = {"cacm": {"text": Scores(alone["cacm"]["text"].ndcg_10 + among, 0.5)}}
    [line] = relevance.losses(alone, mixed)
    assert line.startswith(f"{verdict}  text: cacm among twelve languages")


@pytest.mark.parametrize(
    ("name", "text", "tags", "has"),
    [
        ("vim", "Plugins for Vim", [], True),
        ("vim", "Học lập trình", ["lang:vi"], False),
        ("arm", "Arming the ARMs", [], True),
        ("hub", "GitHub", [], True),
        ("hugo", "Hugging Face", ["lang:en"], False),
        ("organ", "https://example.org/", [], False),
        ("libro", "Los libros", ["lang:es"], True),
        ("libro", "Die libros", ["lang:de"], False),
        ("redis", "rédis", [], True),
    ],
)
def test_a_result_lacks_a_name_whose_inflections_it_has_in_no_language_of_its_own(name, text, tags, has):
    assert names.has_name(name, text, tags) is has


def test_what_lacks_the_name_is_listed_with_its_place():
    found = [
        {"bookmark": {"title": title, "description": "", "tags": [], "url": "x"}} for title in ("Vim", "Vi", "vims")
    ]
    assert [(miss.place, miss.title) for miss in names.lacking("vim", found)] == [(2, "Vi")]


def _timings(*milliseconds, status=200):
    return Timings([TimedAnswer(str(taken), taken, None, status, True, False) for taken in milliseconds])


def test_speed_is_judged_by_p95_and_by_the_ratio_of_medians():
    lines = search_speed.verdicts(
        {"text": _timings(50, 50, 50), "suggest": _timings(30, 30), "semantic": _timings(999)},
        {"text": _timings(10, 10), "suggest": _timings(10, 10)},
        {"long texts": _timings(10, status=500)},
    )
    assert [line.split(":")[0] for line in lines] == [
        "PASS  text",
        "FAIL  suggest",
        "FAIL  long texts",
        "FAIL  text",
        "PASS  suggest",
    ]


def test_timings_tell_the_slowest_and_what_went_wrong():
    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params["q"]
        items = [] if query == "nothing" else [{}]
        return httpx.Response(500 if query == "a+b&c" else 200, json={"items": items, "degraded": query == "words"})

    with httpx.Client(base_url="http://fuze.example", transport=httpx.MockTransport(answer)) as client:
        timings = ask_all(client, "search", ["nothing", "words", "a+b&c"], mode="text")

    assert timings.faults == {500: 1}
    assert [(one.query, one.found, one.degraded) for one in timings.answers] == [
        ("nothing", False, False),
        ("words", True, True),
        ("a+b&c", False, False),
    ]
    assert "1 of 3 found nothing, 1 degraded, NOT 200: {500: 1}" in timings.describe()
    assert timings.slowest(2) == sorted(timings.answers, key=lambda one: -one.milliseconds)[:2]


def test_percentiles_lie_between_the_nearest_answers():
    timings = _timings(*range(1, 102))
    assert (timings.p50, timings.p95, timings.percentile(99)) == (51, 96, 100)


def test_a_session_whose_token_has_expired_is_renewed_once_and_the_request_sent_again():
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((request.url.path, request.headers.get("Authorization")))
        if request.url.path.endswith("/auth/refresh"):
            assert json.loads(request.content) == {"refresh_token": "r1"}
            return httpx.Response(200, json={"access_token": "a2", "refresh_token": "r2"})
        return httpx.Response(200 if request.headers["Authorization"] == "Bearer a2" else 401)

    auth = SessionAuth("http://fuze.example", {"access_token": "a1", "refresh_token": "r1"})
    with httpx.Client(transport=httpx.MockTransport(answer), auth=auth) as client:
        assert [client.get("http://fuze.example/api/v1/tags").status_code for _ in range(2)] == [200, 200]
    assert sent == [
        ("/api/v1/tags", "Bearer a1"),
        ("/api/v1/auth/refresh", None),
        ("/api/v1/tags", "Bearer a2"),
        ("/api/v1/tags", "Bearer a2"),
    ]
