"""The parts of the measurement of recommendations that its figures rest on: sections, rankings, rounds."""

from __future__ import annotations

import random

import pytest

from benchmarks import recommend, recommend_colleagues, recommend_feedback
from benchmarks.corpora import DATA, load_links, load_sources
from benchmarks.library import library_items
from benchmarks.rankings import Quality, judge, mean_quality, paired_difference, relative_gain, residual
from benchmarks.recommend_feedback import Course, Residue, residue
from benchmarks.recommending import Case
from benchmarks.sections import Section, choose_sections, describe, find_sections, popular_first, site

pytestmark = pytest.mark.unit
needs_data = pytest.mark.skipif(not (DATA / "links.jsonl.gz").exists(), reason="the development data is not here")


def _link(number, *headings, host="host.example"):
    return {
        "url": f"https://{host}/{number}",
        "title": f"Link {number}",
        "description": f"What {number} says",
        "tags": list(headings),
        "capture": False,
    }


def _lists(*sizes):
    """Lists of one section each, and of what list each link is."""
    links, sources = [], []
    for number, size in enumerate(sizes):
        links += [_link(f"{number}/{place}", f"topic {number}", "books", "lang:de") for place in range(size)]
        sources += [f"owner/list-{number}"] * size
    return links, sources


SECTION = Section("owner/list", ("elixir", "rest and api", "lang:en"), (3, 4, 5, 6, 7), (4, 5, 7))
CASE = Case(SECTION, "", frozenset({1, 2, 3}), frozenset(range(10, 20)))


def test_sections_have_8_to_40_links_of_one_list_and_the_same_headings():
    links, sources = _lists(7, 8, 40, 41)
    sections = find_sections(links, sources)
    assert [(one.source, len(one.links)) for one in sections] == [("owner/list-1", 8), ("owner/list-2", 40)]
    assert [links[number]["tags"] for number in sections[0].links] == [["topic 1", "books", "lang:de"]] * 8


def test_the_same_headings_in_two_lists_are_two_sections():
    links = [_link(number, "books") for number in range(16)]
    sections = find_sections(links, ["a/a", "b/b"] * 8)
    assert [one.links for one in sections] == [tuple(range(0, 16, 2)), tuple(range(1, 16, 2))]


def test_examples_are_three_of_the_links_and_the_others_are_the_rest():
    for section in find_sections(*_lists(8, 12, 40)):
        assert len(set(section.examples)) == 3
        assert set(section.examples) <= set(section.links)
        assert sorted([*section.examples, *section.others]) == sorted(section.links)


def test_examples_hang_on_the_seed_and_not_on_what_other_sections_there_are():
    links, sources = _lists(8, 20)
    alone = find_sections(links[8:], sources[8:], seed=5)[0]
    both = find_sections(links, sources, seed=5)[1]
    assert [number + 8 for number in alone.examples] == list(both.examples)
    assert {one.examples for seed in range(3, 8) for one in find_sections(links, sources, seed=seed)[1:]} > {
        both.examples
    }


def test_a_shorter_choice_is_the_beginning_of_a_longer_one_and_too_many_are_refused():
    sections = find_sections(*_lists(*[8] * 30))
    assert choose_sections(sections, 10, seed=1) == choose_sections(sections, 30, seed=1)[:10]
    assert choose_sections(sections, 30, seed=1) != choose_sections(sections, 30, seed=2)
    with pytest.raises(ValueError, match="of 30 sections 31"):
        choose_sections(sections, 31, seed=1)


def test_a_project_is_called_by_the_headings_and_described_by_the_examples():
    links = [_link(number) for number in range(8)]
    links[5] |= {"title": " Spaced ", "description": ""}
    links[7] |= {"title": "Long", "description": "x" * 900}
    assert SECTION.name == "Elixir: rest and api"
    assert SECTION.words == "elixir rest and api"
    first, second, third = describe(SECTION, links).split("\n")
    assert (first, second) == ("Link 4: What 4 says", "Spaced")
    assert third == f"Long: {'x' * 494}"


def test_a_site_is_a_host_or_an_owner_on_a_host_that_many_share():
    assert site("https://WWW.Python.org/3/library") == "python.org"
    assert site("https://GitHub.com/Pallets/flask") == site("http://github.com/pallets") == "github.com/pallets"
    assert site("https://github.com/") == "github.com"


def test_what_more_lists_link_to_is_more_popular_then_what_has_more_links():
    hosts = ["rare", "twice", "wide", "wide", "twice", "lone"]
    links = [_link(number, host=f"{host}.example") for number, host in enumerate(hosts)]
    assert popular_first(links, ["a", "a", "a", "b", "a", "b"]) == [2, 3, 1, 4, 0, 5]


def test_tags_are_left_out_unless_they_are_asked_for():
    (without,) = library_items([_link(1, "books")], with_tags=False)
    assert without == {name: value for name, value in _link(1).items() if name != "tags"}
    assert list(library_items([_link(1, "books")], with_tags=True)) == [_link(1, "books")]


def test_a_ranking_is_judged_to_its_tenth_and_to_its_twentieth_place():
    # DCG of places 1 and 3 over that of places 1 to 3: (1 + 1/2) / (1 + 1/log2(3) + 1/2).
    assert judge([7, 1, 8, 2], {7, 8, 9}).ndcg_10 == pytest.approx(1.5 / 2.1309297536)
    late = [*range(100, 119), 7]
    assert judge(late, {7, 8}) == Quality(0.0, 0.5)
    assert judge([*range(100, 120), 7], {7, 8}) == Quality(0.0, 0.0)
    assert judge(list(range(10)), range(40)).ndcg_10 == pytest.approx(1.0)
    assert mean_quality([Quality(0.2, 0.0), Quality(0.4, 1.0)]) == Quality(pytest.approx(0.3), 0.5)


def test_what_was_judged_is_left_out_and_the_rest_keeps_its_order():
    assert residual([5, 3, 9, 1], {9, 5, 77}) == [3, 1]


def test_a_difference_is_taken_pair_by_pair():
    noise = random.Random(1)
    those = [noise.random() for _ in range(200)]
    difference = paired_difference([value + 0.1 for value in those], those)
    assert difference.value == difference.low == difference.high == pytest.approx(0.1)
    unsure = paired_difference([0.0, 1.0] * 50, [1.0, 0.0] * 50)
    assert unsure.low < -0.1 < 0.1 < unsure.high
    assert unsure.value == 0.0


def test_a_gain_is_a_share_of_the_mean_without():
    gain = relative_gain([0.6, 0.0] * 20, [0.4, 0.1] * 20)
    assert gain.value == pytest.approx(0.2)
    assert gain.low < 0.2 < gain.high
    assert gain.describe(100, 1).startswith("+20.0 [")


@pytest.mark.parametrize(("these", "those"), [([], []), ([1.0], [1.0, 2.0])])
def test_values_that_make_no_pairs_are_refused(these, those):
    for compare in (paired_difference, relative_gain):
        with pytest.raises(ValueError, match="make no pairs"):
            compare(these, those)


def test_there_is_no_gain_over_nothing():
    with pytest.raises(ValueError, match="share of nothing"):
        relative_gain([1.0], [0.0])


def test_after_a_round_only_what_was_not_judged_counts_in_ranking_and_relevant():
    now, first, relevant = [8, 1, 4, 2, 9], [1, 2, 3, 8, 9, 4], {1, 8, 9}
    found = residue(now, first, relevant, judged={1, 2, 3})
    # 8 and 9 are left of the relevant; now 8, 4, 9, and without feedback 8, 9, 4.
    assert found == Residue(judge([8, 4, 9], {8, 9}).ndcg_10, 1.0, ten_left=False)
    assert residue(now, first, relevant, judged={1, 8, 9}) is None
    assert residue(now, list(range(20, 31)), relevant, {20}).ten_left


class _Recommender:
    """Stands for the API: offers what was not refused, and after a round what it was told to put first."""

    def __init__(self, ranking, lifted):
        self.ranking, self.lifted, self.told = ranking, lifted, {}

    def found(self):
        refused = {one for one, relevant in self.told.items() if not relevant}
        order = [*self.lifted, *self.ranking] if self.told else self.ranking
        return [one for one in dict.fromkeys(order) if one not in refused][:50]


def _play(monkeypatch, ranking, lifted):
    recommender = _Recommender(ranking, lifted)

    monkeypatch.setattr(recommend_feedback, "ask", lambda *_, **__: _Answer(recommender.found()))
    monkeypatch.setattr(
        recommend_feedback, "tell", lambda _, __, one, ___, relevant: recommender.told.setdefault(one, relevant)
    )
    monkeypatch.setattr(recommend_feedback, "project_of", lambda *_: _NoProject())
    return recommend_feedback.play(_NoLibrary(), CASE), recommender


class _Answer:
    def __init__(self, found):
        self.found = found


class _NoLibrary:
    owner = None


class _NoProject:
    def __enter__(self):
        return 1

    def __exit__(self, *_):
        return None


def test_each_round_judges_ten_that_were_not_judged_and_measures_the_rest(monkeypatch):
    wrong = list(range(100, 200))
    ranking = [*wrong[:9], 10, *wrong[9:]]

    course, recommender = _play(monkeypatch, ranking, lifted=range(10, 20))

    # Of the first ten one is relevant; then all others are offered first, and after the second round none is left.
    assert course.found == [0.1, 1.0, 1.0, 1.0, 1.0]
    assert course.found_without == [0.1] * 5
    assert course.residues == [Residue(1.0, 0.0, ten_left=True), None, None, None, None]
    assert course.returned == 0
    assert len(recommender.told) == 50
    assert [one for one, relevant in recommender.told.items() if relevant] == list(range(10, 20))


def _courses(with_feedback, without, returned=0):
    kept = Residue(with_feedback, without, ten_left=True)
    return [Course([kept] * 4 + [None], [0.5] * 5, [0.4] * 5, returned), Course([kept] * 5, [0.5] * 5, [0.4] * 5)]


@pytest.mark.parametrize(
    ("courses", "verdicts"),
    [
        (_courses(0.33, 0.30), ["PASS", "PASS"]),
        (_courses(0.32, 0.30), ["FAIL", "PASS"]),
        (_courses(0.60, 0.30, returned=1), ["PASS", "FAIL"]),
    ],
)
def test_feedback_is_judged_by_the_gain_after_two_rounds_and_by_what_returns(courses, verdicts):
    lines = list(recommend_feedback.summary(courses))
    assert [line[:4] for line in lines[-2:]] == verdicts
    assert [line.split()[:2] for line in lines[2:-2]] == [["1", "2"], ["2", "2"], ["3", "2"], ["4", "2"], ["5", "1"]]


def _table(auto, semantic, popular=0.1):
    return {
        name: [Quality(value, 0.5)] * 5
        for name, value in (("auto", auto), ("content", 0.1), ("semantic", semantic), ("popular", popular))
    }


@pytest.mark.parametrize(
    ("table", "verdicts"),
    [
        (_table(0.4, 0.3), ["PASS", "PASS"]),
        (_table(0.3, 0.3, popular=0.09), ["FAIL", "PASS"]),
        (_table(0.4, 0.3, popular=0.2), ["PASS", "FAIL"]),
    ],
)
def test_auto_is_judged_against_the_best_single_engine_and_popularity(table, verdicts):
    lines = list(recommend.summary(table))
    assert [line[:4] for line in lines[-2:]] == verdicts
    assert "(semantic)" in lines[-2]


def test_colleagues_attach_most_of_what_is_known_and_nothing_of_the_rest_but_by_chance():
    known = frozenset(range(10, 15))
    elsewhere = list(range(1_000, 2_000))
    attached = [
        recommend_colleagues.attached_by_colleague(CASE, known, elsewhere, random.Random(seed)) for seed in range(300)
    ]
    assert set().union(*attached) - set(elsewhere) == known | CASE.examples
    assert all(len(one.intersection(elsewhere)) == 2 for one in attached)
    fitting = sum(len(one) - 2 for one in attached) / len(attached)
    assert 8 * 2 / 3 - 0.3 < fitting < 8 * 2 / 3 + 0.3


def test_colleagues_call_the_same_work_otherwise():
    assert recommend_colleagues.other_names(["go", "database", "drivers"]) == [
        "go database drivers",
        "drivers / database / go",
        "drivers",
    ]


@needs_data
def test_the_real_links_have_more_than_a_thousand_sections_and_hundreds_of_long_ones():
    sections = find_sections(load_links(), load_sources())
    assert len(sections) == 1_280
    assert sum(len(one.others) > 20 for one in sections) > 200
    assert all(one.name.strip() and 5 <= len(one.others) <= 37 for one in sections)
