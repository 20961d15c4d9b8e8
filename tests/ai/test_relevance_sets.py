"""The measures that every ranking number of Fuze rests on."""

import gzip
import math

import pytest

from benchmarks.relevance_sets import Scores, load_set, ndcg, recall

pytestmark = pytest.mark.unit


def test_a_perfect_ranking_scores_one():
    assert ndcg(["a", "b", "c"], {"a": 2, "b": 1}) == 1.0


def test_ndcg_discounts_by_the_logarithm_of_the_rank_and_counts_gains_as_they_are():
    expected = (1 / math.log2(2) + 3 / math.log2(4)) / (3 / math.log2(2) + 1 / math.log2(3))
    assert ndcg(["b", "x", "a"], {"a": 3, "b": 1}) == pytest.approx(expected)


def test_ndcg_looks_at_the_first_ten_only():
    assert ndcg([*"0123456789", "a"], {"a": 1}) == 0.0


def test_recall_is_the_share_of_the_relevant_that_is_found():
    assert recall(["x", "a", "y"], {"a": 1, "b": 2}) == 0.5
    assert recall(["x", "a"], {"a": 1}, depth=1) == 0.0


def test_nothing_relevant_scores_nothing():
    assert ndcg(["a"], {}) == recall(["a"], {}) == 0.0


def test_a_set_keeps_judged_queries_only_and_counts_a_missing_ranking_as_empty(tmp_path):
    write(
        tmp_path / "corpus.jsonl.gz",
        '{"_id": "1", "title": "T", "text": "words"}\n{"_id": "2", "text": "x"}\n',
    )
    write(tmp_path / "queries.jsonl.gz", "".join(f'{{"_id": "{q}", "text": "?"}}\n' for q in "pqr"))
    write(tmp_path / "qrels.tsv.gz", "query-id\tcorpus-id\tscore\np\t1\t1\nq\t2\t1\nr\t2\t0\n")

    judged = load_set(tmp_path.name, tmp_path.parent)

    assert [document.full_text for document in judged.documents] == ["T words", "x"]
    assert set(judged.queries) == {"p", "q"}
    assert judged.score({"p": ["1"]}) == Scores(ndcg_10=0.5, recall_100=0.5)


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()))
