"""The parts of the load measurements that every figure rests on: what is read from others, counted and judged."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from typing import Any

import httpx
import pytest

from benchmarks import http, mix, mixed, staleness
from benchmarks.generators import Burst, Load, read_ab, read_wrk
from benchmarks.pairs import LIST, Findings, Lane, UnexpectedAnswer
from benchmarks.statements import Statements, count_statements
from tests.support.stack import ROOT

pytestmark = pytest.mark.unit
NOTHING, ALL = http.Features(False, False, False), http.Features(True, True, True)
AB = """
Concurrency Level:      100
Time taken for tests:   3.768 seconds
Complete requests:      1000
Failed requests:        3
   (Connect: 0, Receive: 0, Length: 3, Exceptions: 0)
Non-2xx responses:      2
Requests per second:    265.41 [#/sec] (mean)
"""


def _load(per_second: float, p50: float = 1.0, refused: int = 0) -> Load:
    return Load(int(per_second), 1.0, refused, 0, p50, p50, p50)


def _verdicts(lines: Any) -> dict[str, str]:
    return {line[6:].split(":")[0]: line[:4] for line in lines}


def test_what_wrk_and_ab_print_is_read():
    line = '{"requests": 300, "seconds": 2.0, "refused": 1, "lost": 2, "p50": 1.5, "p95": 3.0, "p99": 4.0}'
    load = read_wrk(f"Running 2s test\n  2 requests\n{line}\n")
    assert (load.per_second, load.faults, load.p50, load.p95, load.p99) == (150, 3, 1.5, 3.0, 4.0)
    assert read_ab(AB) == Burst(1000, 5, 265.41)


def test_a_program_that_is_missing_is_named_with_its_package(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"wrk is not here.*\nab is not here.*apt-get install apache2-utils"):
        http.need_programs("wrk", "ab")


def test_the_cached_are_judged_by_the_median_of_their_shares_of_the_bare_application():
    rounds = {
        ("bare Flask", 0): [_load(100), _load(1_000), _load(10)],
        ("cached list", 10): [_load(36), _load(100), _load(4)],
        ("item", 10): [_load(34), _load(900), _load(3)],
    }
    found = _verdicts(http.verdicts({2: rounds}, NOTHING))
    assert found["cached list at 10, 2 connections"] == "PASS"
    assert found["item at 10, 2 connections"] == "FAIL"


def test_the_uncached_list_may_lose_a_fifth_to_ten_times_the_bookmarks():
    def judged(large: float) -> str:
        rounds = {("uncached list", 100): [_load(large)], ("uncached list", 10): [_load(100)]}
        found = _verdicts(http.verdicts({16: rounds}, NOTHING))
        return found["uncached list, 16 connections"]

    assert (judged(80), judged(79)) == ("PASS", "FAIL")


def test_an_answer_that_was_refused_fails_what_it_was_measured_for():
    rounds = {("bare Flask", 0): [_load(100)], ("item", 10): [_load(100, refused=1)]}
    found = _verdicts(http.verdicts({2: rounds}, NOTHING))
    assert found["item at 10, 2 connections"] == "FAIL"
    assert found["1 answers were refusals or did not come"] == "FAIL"


@pytest.mark.parametrize(("without", "verdict"), [(1.0, "PASS"), (0.9, "FAIL")])
def test_the_limiter_is_judged_with_the_fewest_connections(without, verdict):
    def rounds(p50):
        return {("cached list", 10): [_load(1, 2.0)], ("cached list, no limiter", 10): [_load(1, p50)]}

    lines = list(http.limiter_verdicts({16: rounds(0.0), 2: rounds(without)}, ALL))
    assert [line[:4] for line in lines] == ["    ", verdict]
    assert next(http.limiter_verdicts({}, NOTHING)).startswith("SKIP")


def test_a_burst_must_be_complete_and_fast():
    bursts = {
        0: Burst(0, 0, 0.0),
        1: Burst(1000, 0, 1000.0),
        2: Burst(1000, 1, 2000.0),
        3: Burst(999, 0, 2000.0),
        4: Burst(1000, 0, 999.0),
    }
    assert [line[:4] for line in http.burst_verdicts(bursts)] == ["    ", "PASS", "FAIL", "FAIL", "FAIL"]


@pytest.mark.parametrize(("there", "lines"), [(True, 0), (False, 3)])
def test_what_is_not_there_yet_is_told(there, lines):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cache/stats":
            return httpx.Response(403 if there else 404)
        return httpx.Response(200, headers={"ETag": '"a"', "X-RateLimit-Limit-60s": "60"} if there else {})

    with httpx.Client(base_url="http://fuze.example", transport=httpx.MockTransport(answer)) as client:
        assert len(list(http.Features.seen_by(client).describe())) == lines


def test_the_first_of_many_is_drawn_most_often_as_zipf_has_it():
    draw = mixed.Draw(random.Random(1), 1.0)
    counts = Counter(draw.one_of("abcd") for _ in range(10_000))
    assert [letter for letter, _ in counts.most_common()] == list("abcd")
    assert counts["a"] / counts["d"] == pytest.approx(4, rel=0.15)


def test_a_write_takes_all_answers_of_its_organization_from_the_best_of_caches():
    touches = [(1, "x"), (1, "x"), (2, "x"), (1, ""), (1, "x"), (2, "x"), (1, "y"), (1, "y")]
    found = [mixed.Touch(moment, *touch) for moment, touch in enumerate(touches)]
    assert mixed.best_hit_rate(found[::-1]) == pytest.approx(100 * 3 / 7)
    assert mixed.best_hit_rate([]) == 0


def test_the_hit_rate_is_that_of_the_reads_and_not_of_sessions():
    cache = {"list": Counter(hits=8, misses=2), "session": Counter(hits=90), "bookmark": Counter(hits=1, misses=9)}
    assert mixed.Round(mixed.Tally(), 1.0, cache).hit_rate() == 45
    assert mixed.Round(mixed.Tally(), 1.0, None).hit_rate() is None


def test_both_loads_are_judged_and_the_faults_of_all():
    def load(hits: int, *faults: str) -> mixed.Round:
        tally = mixed.Tally(faults=Counter(("list", status) for status in faults))
        return mixed.Round(tally, 1.0, {"list": Counter(hits=hits, misses=100 - hits)})

    with_cache = mixed.Outcome([load(80), load(81)], mixed.Tally(), Statements(3, 0))
    without = mixed.Outcome([load(0, "500")], mixed.Tally(faults=Counter({("item", "500"): 2})), Statements(0, 0))
    assert _verdicts(mixed.verdicts(with_cache, without)) == {
        "with caching": "PASS",
        "without caching": "FAIL",
        mixed.NOTHING_KEPT: "FAIL",
        mixed.IN_USE: "PASS",
        "SQL statements per request": "    ",
    }
    assert without.faults == {("list", "500"): 1, ("item", "500"): 2}


def test_a_namespace_that_came_up_during_the_load_counts_from_nothing():
    before, after = {"list": Counter(hits=1, misses=2)}, {"list": Counter(hits=3, misses=2), "tags": Counter(misses=1)}
    assert mixed.since(before, after) == {"list": {"hits": 2}, "tags": {"misses": 1}}


def test_the_mix_is_80_reads_15_searches_and_5_writes_of_100():
    shares = Counter()
    for kind, share in mixed.MIX.items():
        shares["read" if kind in mixed.READS else "write" if kind in mixed.WRITES else kind] += share
    assert shares == {"read": 80, "search": 15, "write": 5}


def test_statements_are_counted_once_however_many_lines_they_have():
    log = b"""postgres  | LOG:  statement: BEGIN
postgres  | LOG:  statement: SELECT bookmarks.id
postgres  | FROM bookmarks
web       | 2026-01-01 INFO    GET /api/v1/bookmarks 200 {}
postgres  | LOG:  statement: SELECT 1
postgres  | LOG:  statement: SET LOCAL statement_timeout = 5000; SELECT tags.id
postgres  | LOG:  statement: WITH a AS (SELECT 1) SELECT 2
postgres  | LOG:  statement: ;
postgres  | LOG:  statement: COMMIT
"""
    assert count_statements(log) == (3, 4)


class Process:
    """One process of a server; what it shows is `behind` writes old."""

    def __init__(self, process: int, history: list[dict[int, str]], behind: int = 0) -> None:
        self.process, self._history, self._behind = process, history, behind

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        now = self._history[-1]
        if method == "GET":
            shown = self._history[max(0, len(self._history) - 1 - self._behind)]
            items = [{"id": id_, "title": title} for id_, title in shown.items()]
            if path == LIST:
                return 200, {"items": items}
            one = next((item for item in items if path == f"bookmarks/{item['id']}"), None)
            return (200, one) if one else (404, None)
        id_ = max(now, default=0) + 1 if method == "POST" else int(path.split("/")[1].split("?")[0])
        after = {**now, id_: body["title"]} if body else {key: title for key, title in now.items() if key != id_}
        self._history.append(after)
        return {"POST": 201, "PATCH": 200, "DELETE": 204}[method], {"id": id_}


def test_pairs_over_processes_that_agree_find_nothing():
    history: list[dict[int, str]] = [{}]
    lane = Lane([Process(1, history), Process(2, history)])
    crowd = Findings()
    for _ in range(50):
        lane.pair()
        lane.look(Process(3, history), crowd)
    assert (lane.findings.pairs, lane.findings.stale, crowd.stale) == (50, [], [])
    assert len(history[-1]) <= 7


def test_a_process_that_is_one_write_behind_is_found_by_the_pair_and_by_the_crowd():
    history: list[dict[int, str]] = [{}]
    lane = Lane([Process(1, history), Process(2, history, behind=1)])
    crowd = Findings()
    lane.pair()
    lane.look(Process(3, history, behind=1), crowd)
    assert lane.findings.stale
    assert crowd.stale
    assert [line[:4] for line in staleness.verdicts(lane.findings, 1)][:2] == ["PASS", "FAIL"]


def test_an_answer_that_is_neither_there_nor_gone_is_a_fault():
    refusing = Process(2, [{}])
    refusing.ask = lambda *_: (503, {})
    with pytest.raises(UnexpectedAnswer, match="503"):
        Lane([Process(1, [{}]), refusing]).pair()


def test_each_kind_of_the_mix_is_a_request_of_the_api():
    person, draw = mix.Person("token", [7], ["https://example.org/a b"]), mix.Draw(random.Random(1), 1.0)
    made = {kind: mix.request_of(kind, person, ["word"], draw, random.Random(1)) for kind in mix.MIX}
    assert made["item"] == ("GET", "bookmarks/7", None)
    assert made["lookup"] == ("GET", "bookmarks/lookup?url=https%3A%2F%2Fexample.org%2Fa+b", None)
    assert {kind for kind, (method, _, body) in made.items() if method != "GET" and body} == set(mix.WRITES)


def test_the_mix_needs_nothing_but_python():
    code = "import sys, benchmarks.mix; print([name for name in sys.modules if name in ('numpy', 'httpx', 'backend')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
