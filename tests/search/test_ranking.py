"""Ranking by words: BM25, its statistics, and what keeps it fast (R-SEARCH)."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from backend.bookmarks import statistics_refresh
from backend.bookmarks.jobs import refresh_changed_statistics
from backend.bookmarks.models import BookmarkDocument
from backend.extensions import db
from backend.index import champions, impacts, jobs, statistics
from backend.index.jobs import resend_due_work
from backend.index.models import SearchStatistics
from backend.index.statistics import changed_organizations
from backend.search.query_plan import COMPLETE_WORDS
from tests.support.api import Api
from tests.support.pages import add_page

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
LETTERS = "bcdfghjklmnpqrtvwxz"


def search(api: Api, q: str, **query: Any) -> list[dict[str, Any]]:
    response = api.get("/search", q=q, **{"mode": "text", "page_size": 100, **query})
    assert response.status_code == 200, response.get_data(as_text=True)
    items: list[dict[str, Any]] = response.json["items"]
    return items


def titles(api: Api, q: str, **query: Any) -> list[str]:
    return [item["bookmark"]["title"] for item in search(api, q, **query)]


def fill(api: Api, texts: list[str], **more: Any) -> list[int]:
    """Bookmarks with these titles, through the API; their ids."""
    items = [
        {"url": f"https://example.org/{random.getrandbits(60)}", "title": text, "capture": False, **more}
        for text in texts
    ]
    ids: list[int] = []
    for start in range(0, len(items), 1000):
        results = api.post("/bookmarks/bulk", {"items": items[start : start + 1000]}).json["results"]
        ids += [result["id"] for result in results]
    return ids


def made_words(seed: int, number: int) -> list[str]:
    """Words that no stemmer changes."""
    chance = random.Random(seed)
    return ["".join(chance.choices(LETTERS, k=6)) for _ in range(number)]


def expected_scores(texts: list[str], query: list[str]) -> dict[str, float]:
    """BM25 by its definition, over titles."""
    split = {text: text.split() for text in texts}
    weight = 1.5
    average = sum(weight * len(words) for words in split.values()) / len(texts)
    scores = dict.fromkeys(texts, 0.0)
    for word in query:
        holding = sum(word in words for words in split.values())
        rarity = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
        for text, words in split.items():
            count = weight * words.count(word)
            norm = impacts.K1 * (1 - impacts.B + impacts.B * weight * len(words) / average)
            scores[text] += rarity * count * (impacts.K1 + 1) / (count + norm)
    return {text: score for text, score in scores.items() if score}


def test_scores_are_those_of_bm25(ada: Api, context: Flask) -> None:
    words = made_words(1, 40)
    chance = random.Random(2)
    texts = list({" ".join(chance.choices(words, k=chance.randint(1, 12))) for _ in range(150)})
    fill(ada, texts)
    for size in (1, 2, 5, 8):
        query = chance.sample(words, size)
        expected = expected_scores(texts, query)
        found = {item["bookmark"]["title"]: item["score"] for item in search(ada, " ".join(query))}
        assert len(found) == min(len(expected), 100)
        for title, score in found.items():
            assert score == pytest.approx(expected[title], rel=1e-3)
        if size > COMPLETE_WORDS:
            assert min(found.values()) >= sorted(expected.values(), reverse=True)[len(found) - 1] * 0.999


def test_what_holds_all_of_up_to_four_words_comes_first(ada: Api) -> None:
    rare, common = "quokka", "garden"
    fill(ada, [f"{common} {word}" for word in made_words(3, 30)])
    fill(ada, [f"{rare} {rare} {rare}"])
    fill(ada, [f"a long title about many things, of which one is a {common} and another, at its end, the {rare}"])
    assert titles(ada, f"{rare} {common}")[0].startswith("a long title")
    assert titles(ada, f"{rare} the {common}")[0].startswith("a long title")
    assert titles(ada, f"{rare} {common} nothing hereof exists")[0] == f"{rare} {rare} {rare}"


def test_words_that_say_little_rank_nothing_but_are_found_alone(ada: Api) -> None:
    fill(ada, ["the cat of the house", "a house", "the the the"])
    assert titles(ada, "the house") == ["a house", "the cat of the house"]
    assert sorted(titles(ada, "the")) == ["the cat of the house", "the the the"]
    assert titles(ada, '"of the house"') == ["the cat of the house"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ('quokka "red garden"', ["a red garden"]),
        ("garden -red", ["a garden", "another quokka garden of example.com"]),
        ("garden tag:green", ["a red garden"]),
        ("garden #green -#green", []),
        ("is:favorite garden", ["a garden"]),
        ("garden site:example.com", ["another quokka garden of example.com"]),
        ("site:docs.example.com", ["another quokka garden of example.com"]),
        ("garden -site:example.com -red", ["a garden"]),
        ("garden before:2021-01-01", ["a garden"]),
        ("garden after:2020-06-01 before:2020-06-02", ["a garden"]),
        ("lang:de", []),
        ("project:7 garden", []),
        ("is:archived garden", ["an old garden"]),
        ("red OR quokka", ["a red garden", "another quokka garden of example.com"]),
        ("#green OR site:example.com", ["a red garden", "another quokka garden of example.com"]),
        ("-garden", ["nothing"]),
        ("is:untagged -garden", ["nothing"]),
        ("is:broken", []),
        ("tag:green is:unread", ["a red garden"]),
    ],
)
def test_the_query_language_means_the_same_in_lists_and_in_search(ada: Api, q: str, found: list[str]) -> None:
    ada.save("https://example.org/1", title="a red garden", tags=["Green"])
    ada.save("https://example.org/2", title="a garden", is_favorite=True, created_at="2020-06-01T00:00:00Z")
    ada.save("https://docs.example.com/3", title="another quokka garden of example.com")
    ada.save("https://example.org/4", title="an old garden", is_archived=True)
    ada.save("https://example.org/5", title="nothing")
    assert sorted(titles(ada, q)) == found
    if 'quokka "' not in q:  # A list asks for all words, a search only for what is strict.
        listed = ada.get("/bookmarks", q=q, page_size=100).json["items"]
        assert sorted(item["title"] for item in listed) == found


def test_a_list_asks_for_all_words(ada: Api) -> None:
    fill(ada, ["red garden", "red", "garden", "gardens of the reds"])
    listed = [item["title"] for item in ada.get("/bookmarks", q="garden red").json["items"]]
    assert sorted(listed) == ["gardens of the reds", "red garden"]
    assert ada.get("/bookmarks", q="!!!").json["total"] == 0


def test_a_word_is_not_taken_for_a_stop_word_of_another_language(ada: Api) -> None:
    fill(
        ada,
        ["Une application pour écrire des notes et des listes", "Guía para diseñar aplicaciones de la web para todos"],
    )
    fill(ada, ["parse a date", "data about dates", "React lernen und verstehen mit der Hand", "under the hood"])
    for q, found in (("parse", ["parse a date"]), ("under", ["under the hood"])):
        assert titles(ada, q) == found
        assert [item["title"] for item in ada.get("/bookmarks", q=q).json["items"]] == found
    assert "Guía para diseñar aplicaciones de la web para todos" in ada.titles(q="-parse")
    assert ada.titles(q="diseñar -parse") == ["Guía para diseñar aplicaciones de la web para todos"]


def test_in_a_long_text_quotes_and_dashes_are_punctuation(ada: Api) -> None:
    fill(ada, ["vibration of panels at supersonic speed", "panels"])
    prose = 'what is known today about the "flutter of panels" -in particular their vibration- when they are heated'
    assert titles(ada, prose) == ["vibration of panels at supersonic speed", "panels"]
    assert titles(ada, 'panels "flutter of panels"') == []
    assert titles(ada, f"{prose} tag:none") == []
    # Up to ten plain words are no prose.
    typed = "vibration of panels at supersonic speed in air -supersonic"
    assert titles(ada, typed) == ["panels"]
    assert titles(ada, typed.replace("-supersonic", '"supersonic panels"')) == []


@pytest.mark.parametrize(
    ("title", "queries"),
    [
        ("Running faster databases", ["run", "database", "FASTER", "runs databases"]),
        ("Die schönsten Häuser und Gärten der Stadt", ["Haus", "häuser", "HAUSER", "garten", "schönste"]),
        ("Как выбрать хорошие книги", ["книга", "книгу", "КНИГИ", "хорошая"]),
        ("日本語の全文検索エンジンを作る", ["日本", "検索", "全文検索", "エンジン", "日本語"]),
        ("全文搜索引擎的设计与实现", ["搜索", "引擎", "设计", "全文", "搜索引擎"]),
        ("Café crème à la française", ["cafe", "CAFÉ", "creme", "francaise"]),
        ("Łódź i Kraków w naïve ﬁle", ["lodz", "krakow", "naive", "file"]),
        (
            "Use foo_bar in C++ with node.js v1.2.3 and F#",
            ["foo_bar", "C++", "node.js", "nodejs", "v1.2.3", "1.2", "f#", "bar"],
        ),
        ("getElementById and std::vector", ["getElementById", "std::vector", "vector"]),
    ],
)
def test_words_are_found_in_many_languages_and_in_code(ada: Api, title: str, queries: list[str]) -> None:
    fill(ada, [title, "something else, of another kind", "C c# D 1.5 v2"])
    for q in queries:
        assert titles(ada, q)[:1] == [title], q
        assert [item["title"] for item in ada.get("/bookmarks", q=q).json["items"]] == [title], q


def test_a_page_is_stemmed_in_the_language_it_states(ada: Api, context: Flask) -> None:
    page = ada.save("https://example.org/1", title="page")["id"]
    db.session.execute(db.text("UPDATE bookmarks SET language = 'sv-SE' WHERE id = :id"), {"id": page})
    add_page(page, "flickorna sprang")
    assert titles(ada, "flicka") == ["page"]
    assert titles(ada, "lang:sv flickor") == ["page"]
    assert titles(ada, "lang:da flickor") == []


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored counts from six documents on, three champions, and ten candidates a search."""
    patched = {
        statistics: {"CHANGES": 10, "BUDGET": 10},
        champions: {"CHAMPIONS": 3, "READ_BATCH": 7, "MAX_ENTRIES": 10},
        statistics_refresh: {"SMALL": 5, "CHAMPIONS": 3, "STORED_BATCH": 4, "IN_FLIGHT_SECONDS": 0},
    }
    for module, values in patched.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)


def test_of_a_common_word_the_best_are_found_old_and_new(ada: Api, context: Flask, small_bounds: None) -> None:
    words = made_words(5, 40)
    fill(ada, [f"the {word} {' '.join(words[:place])} zebra" for place, word in enumerate(words)])
    refresh_changed_statistics()
    assert changed_organizations() == []
    best = [f"the {words[0]}  zebra", f"the {words[1]} {words[0]} zebra", f"the {words[2]} {words[0]} {words[1]} zebra"]
    assert titles(ada, "zebra") == best
    # A rare word beside it finds its own; with a filter, what passes is found though it is no champion.
    assert titles(ada, f"zebra {words[39]}")[0].startswith(f"the {words[39]}")
    tagged = ada.save("https://example.org/t", title=f"{' '.join(words)} zebra", tags=["t"])
    assert titles(ada, "zebra tag:t") == [tagged["title"]]
    # What was written since is looked at, too.
    fill(ada, ["a zebra"])
    assert titles(ada, "zebra")[0] == "a zebra"


@pytest.mark.parametrize("filters", [{"is_archived": "any", "is_read": "true"}, {"deleted": "true"}])
def test_of_a_common_word_a_filter_finds_what_is_no_champion(
    ada: Api, context: Flask, small_bounds: None, filters: dict[str, str]
) -> None:
    words = made_words(5, 40)
    fill(ada, [f"{word} {' '.join(words[:place])} zebra" for place, word in enumerate(words)])
    wanted = ada.save("https://example.org/t", title=f"{' '.join(words)} zebra", is_read=True)
    refresh_changed_statistics()
    if "deleted" in filters:
        assert ada.delete(f"/bookmarks/{wanted['id']}").status_code == 204
    assert titles(ada, "zebra", **filters) == [wanted["title"]]


def test_a_page_counts_among_the_champions(ada: Api, context: Flask, small_bounds: None) -> None:
    ids = fill(ada, [f"{word} zebra" for word in made_words(6, 30)])
    for number, id_ in enumerate(ids[:4]):
        add_page(id_, "zebra " * (number + 1) + "walrus")
    refresh_changed_statistics()
    assert [item["bookmark"]["id"] for item in search(ada, "zebra")] == ids[3:0:-1]
    assert len(search(ada, "walrus")) == 4
    # Where all have pages, fewer are scored.
    assert [statistics.scoring_budget(30, pages) for pages in (0, 4, 30)] == [10, 6, 1]


def test_while_the_worker_counts_what_was_written_since_the_last_count_is_found(
    ada: Api, context: Flask, small_bounds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ada, [f"{word} other words zebra" for word in made_words(5, 40)])
    statistics_refresh.refresh_statistics(ada.organization_id)
    fill(ada, ["a zebra"])
    seen = []
    count = statistics_refresh.document_frequencies

    def count_slowly(organization_id: int) -> Any:
        fill(ada, ["a zebra zebra"])
        seen.extend(titles(ada, "zebra")[:2])
        return count(organization_id)

    monkeypatch.setattr(statistics_refresh, "document_frequencies", count_slowly)
    statistics_refresh.refresh_statistics(ada.organization_id)
    assert seen == ["a zebra zebra", "a zebra"]
    assert titles(ada, "zebra")[:2] == ["a zebra zebra", "a zebra"]


def fill_while_rewriting(api: Api, batches: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Save a batch of texts each time that the refresh is about to rewrite documents."""
    rewrite = statistics_refresh._rewrite_outdated

    def rewrite_meanwhile(*arguments: Any) -> None:
        if batches:
            fill(api, batches.pop(0))
        rewrite(*arguments)

    monkeypatch.setattr(statistics_refresh, "_rewrite_outdated", rewrite_meanwhile)


def test_what_comes_while_documents_are_rewritten_is_counted(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = made_words(8, 120)
    texts = [" ".join(words[place : place + 12]) for place in range(60)]
    later = [f"{word} {word}" for word in words]
    fill(ada, texts)
    fill_while_rewriting(ada, [later], monkeypatch)
    refresh_changed_statistics()
    assert changed_organizations() == []
    found = {item["bookmark"]["title"]: item["score"] for item in search(ada, words[30])}
    assert found == pytest.approx(expected_scores(texts + later, [words[30]]), rel=0.02)


def test_a_count_that_is_overtaken_again_and_again_is_due_again(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = made_words(9, 600)
    batches = [[" ".join(words[: 2**size])] * 60 for size in range(1, 6)]
    fill(ada, words[:60])
    fill_while_rewriting(ada, batches, monkeypatch)
    refresh_changed_statistics()
    assert changed_organizations() == [ada.organization_id]
    batches.clear()
    refresh_changed_statistics()
    assert changed_organizations() == []


def test_texts_in_other_languages_make_no_word_rarer(ada: Api, bob: Api, context: Flask, small_bounds: None) -> None:
    words = made_words(10, 30)
    english = [f"the old {word} is near the harbour where all of our ships were built" for word in words]
    german = [f"das alte {word} liegt nicht weit von dem Hafen, in dem unsere Schiffe sind" for word in words]
    for person, texts in ((ada, english), (bob, [*english, *german, *(f"{text} immer noch" for text in german)])):
        fill(person, texts)
        statistics_refresh.refresh_statistics(person.organization_id)
    alone, among = (search(person, "harbours")[0]["score"] for person in (ada, bob))
    assert among == pytest.approx(alone, rel=0.1)
    # What stands in the texts of both languages is as rare as it is among all of them.
    alone, among = (search(person, words[0])[0]["score"] for person in (ada, bob))
    assert among == pytest.approx(alone, rel=0.15)


def test_texts_in_other_languages_make_no_text_shorter(
    ada: Api, bob: Api, context: Flask, small_bounds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics_refresh, "LANGUAGE_DOCUMENTS", 20)
    words = made_words(11, 30)
    english = [f"the old {word} is near the harbour where all of our ships were built" for word in words]
    german = [f"{word} nicht weit von dem Hafen ist das alte Schiff " + "und die Reise " * 20 for word in words]
    for person, texts in ((ada, english), (bob, [*english, *german])):
        fill(person, texts)
        statistics_refresh.refresh_statistics(person.organization_id)
    alone, among = (search(person, "ships")[0]["score"] for person in (ada, bob))
    assert among == pytest.approx(alone, rel=0.01)
    # One that is written later has the average of its language, too.
    fill(bob, ["the ships that were in the harbour"])
    newest = select(BookmarkDocument.average).order_by(BookmarkDocument.bookmark_id.desc()).limit(1)
    of_english = select(SearchStatistics.averages["en"].as_float()).filter_by(organization_id=bob.organization_id)
    assert db.session.scalar(newest) == pytest.approx(db.session.scalar(of_english))


def test_of_more_than_may_be_scored_the_newest_is(ada: Api, context: Flask, small_bounds: None) -> None:
    """In an import that nobody has counted yet, and in one after a count."""
    words = made_words(5, 60)
    newest = [f"{word} zebra" for word in words[20:30]]
    fill(ada, [f"{word} zebra" for word in words[:20]])
    fill(ada, newest)
    assert sorted(titles(ada, "zebra")) == sorted(newest)
    # What holds all words is found though none of them is rare, and however old it is.
    fill(ada, ["the walrus, a zebra"])
    fill(ada, [f"{word} walrus" for word in words[:30]] + [f"{word} zebra" for word in words[:30]])
    assert titles(ada, "zebra walrus")[0] == "the walrus, a zebra"
    refresh_changed_statistics()
    newest = [f"{word} {word} zebra" for word in words[50:60]]
    fill(ada, [f"{word} {word} zebra" for word in words[30:50]])
    fill(ada, newest)
    found = titles(ada, "zebra")
    assert set(newest) < set(found)
    assert len(found) == len(newest) + champions.CHAMPIONS


def test_of_two_words_that_do_not_fit_together_both_find_their_best(
    ada: Api, context: Flask, small_bounds: None
) -> None:
    words = made_words(5, 40)
    fill(ada, words)
    fill(ada, [f"{word} {rare}" for word in words[:5] for rare in ("zebra", "walrus")] + ["zebra", "walrus"])
    refresh_changed_statistics()
    assert sorted(titles(ada, "zebra walrus")[:2]) == ["walrus", "zebra"]


def test_stop_words_that_stand_in_all_pages_hide_nothing(ada: Api, context: Flask, small_bounds: None) -> None:
    titles_ = ["the who", *made_words(5, 12), "quokka"]
    ids = fill(ada, titles_)
    db.session.execute(db.text("UPDATE bookmarks SET language = 'de'"))
    for id_, title in reversed(list(zip(ids, titles_, strict=True))):
        add_page(id_, f"der und die, the who, der und die Seite von {title}")
    refresh_changed_statistics()
    assert titles(ada, "der quokka") == ["quokka"]
    assert titles(ada, "the who")[0] == "the who"


def test_documents_are_written_anew_when_the_average_has_moved(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "CHANGES", 10)
    monkeypatch.setattr(statistics_refresh, "IN_FLIGHT_SECONDS", 0)
    texts = [" ".join(made_words(seed, 3)) for seed in range(15)]
    for text in texts:
        fill(ada, [text])
    query = texts[7].split()
    assert search(ada, query[0])[0]["score"] != pytest.approx(expected_scores(texts, query[:1])[texts[7]], rel=0.02)
    refresh_changed_statistics()
    assert search(ada, query[0])[0]["score"] == pytest.approx(expected_scores(texts, query[:1])[texts[7]], rel=1e-3)
    refresh_changed_statistics()
    assert changed_organizations() == []


def test_stored_counts_and_counts_for_the_query_rank_alike(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics_refresh, "IN_FLIGHT_SECONDS", 0)
    words = made_words(9, 30)
    chance = random.Random(4)
    fill(ada, [" ".join(chance.choices(words, k=6)) for _ in range(80)])
    queries = [" ".join(chance.sample(words, 3)) for _ in range(10)]
    before = [[(item["bookmark"]["id"], round(item["score"], 2)) for item in search(ada, q)] for q in queries]
    monkeypatch.setattr(statistics_refresh, "SMALL", 5)
    refresh_changed_statistics()
    after = [[(item["bookmark"]["id"], round(item["score"], 2)) for item in search(ada, q)] for q in queries]
    assert [Counter(id_ for id_, _ in one) for one in before] == [Counter(id_ for id_, _ in one) for one in after]
    for one, other in zip(before, after, strict=True):
        assert dict(one) == pytest.approx(dict(other), abs=0.2)


def test_the_schedulers_pass_asks_for_counts_when_documents_have_changed(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics_refresh, "IN_FLIGHT_SECONDS", 0)
    sent: list[str] = []
    monkeypatch.setattr(jobs, "send", lambda messages: sent.extend(message.function for message in messages))
    function = "bookmarks.refresh_changed_statistics"
    fill(ada, made_words(1, statistics.CHANGES - 1))
    resend_due_work()
    assert function not in sent
    fill(ada, ["one more"])
    resend_due_work()
    assert function in sent
    refresh_changed_statistics()
    sent.clear()
    resend_due_work()
    assert function not in sent


def test_search_stays_within_the_organization(ada: Api, bob: Api, context: Flask, small_bounds: None) -> None:
    fill(ada, [f"{word} zebra" for word in made_words(11, 20)])
    fill(bob, ["bob's zebra"])
    refresh_changed_statistics()
    assert titles(bob, "zebra") == ["bob's zebra"]
    assert "bob's zebra" not in titles(ada, "zebra")
    assert titles(bob, f"-nothing {made_words(11, 1)[0]}") == []
