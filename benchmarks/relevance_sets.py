"""The judged query sets of `../shared/data/relevance`, and the two measures taken on them."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeVar

Id = TypeVar("Id", str, int)

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "relevance"
NAMES = ("links-xref", "scifact", "cranfield", "cacm")


@dataclass(frozen=True)
class Scores:
    """Means over the judged queries of a set, each from 0 to 1."""

    ndcg_10: float
    recall_100: float


# From data/MANIFEST.md. BM25: Lucene variant, k1 1.2, b 0.75, Snowball English; MiniLM: exact cosine,
# 256 tokens, fp32; RRF: k = 60 over the first 100 of each.
REFERENCES: dict[str, dict[str, Scores]] = {
    "links-xref": {
        "bm25": Scores(0.3603, 0.707),
        "minilm": Scores(0.3466, 0.773),
        "rrf": Scores(0.4131, 0.796),
    },
    "scifact": {"bm25": Scores(0.6960, 0.928), "minilm": Scores(0.6602, 0.932), "rrf": Scores(0.7190, 0.953)},
    "cranfield": {
        "bm25": Scores(0.3758, 0.731),
        "minilm": Scores(0.3953, 0.776),
        "rrf": Scores(0.4251, 0.786),
    },
    "cacm": {"bm25": Scores(0.5047, 0.716), "minilm": Scores(0.4277, 0.727), "rrf": Scores(0.5632, 0.799)},
}


@dataclass(frozen=True)
class Document:
    """One thing to find."""

    id: str
    title: str
    text: str

    @property
    def full_text(self) -> str:
        """Title and text, as the reference scores were made from them."""
        return f"{self.title} {self.text}".strip()


@dataclass(frozen=True)
class RelevanceSet:
    """Documents, the judged queries (id → text), and the judgements (query id → document id → gain > 0)."""

    name: str
    documents: list[Document]
    queries: dict[str, str]
    judgements: dict[str, dict[str, int]]

    def score(self, rankings: Mapping[str, Sequence[str]]) -> Scores:
        """The means over all judged queries of `rankings` (query id → document ids, best first).

        A query without a ranking counts as one that found nothing.
        """
        pairs = [(rankings.get(query, ()), gains) for query, gains in self.judgements.items()]
        return Scores(
            ndcg_10=fmean(ndcg(ranking, gains) for ranking, gains in pairs),
            recall_100=fmean(recall(ranking, gains) for ranking, gains in pairs),
        )


def load_set(name: str, folder: Path = FOLDER) -> RelevanceSet:
    """Read one of `NAMES`.

    Raises:
        FileNotFoundError: the data is not beside the checkout.
    """
    base = folder / name
    documents = [
        Document(row["_id"], row.get("title", ""), row.get("text", "")) for row in _json_lines(base / "corpus.jsonl.gz")
    ]
    judgements: dict[str, dict[str, int]] = {}
    with gzip.open(base / "qrels.tsv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if int(row["score"]) > 0:
                judgements.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    queries = {row["_id"]: row["text"] for row in _json_lines(base / "queries.jsonl.gz") if row["_id"] in judgements}
    return RelevanceSet(name, documents, queries, judgements)


def load_paragraphs(folder: Path = FOLDER) -> RelevanceSet:
    """The paragraphs of XQuAD, the same ones in twelve languages, of which nothing is asked.

    Raises:
        FileNotFoundError: the data is not beside the checkout.
    """
    rows = _json_lines(folder / "xquad" / "corpus.jsonl.gz")
    return RelevanceSet("xquad", [Document(row["_id"], "", row["text"]) for row in rows], {}, {})


def ndcg(ranking: Sequence[Id], gains: Mapping[Id, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gains, as trec_eval's `ndcg_cut` has it."""
    ideal = _discounted(sorted(gains.values(), reverse=True)[:depth])
    return _discounted(gains.get(document, 0) for document in ranking[:depth]) / ideal if ideal else 0.0


def recall(ranking: Sequence[Id], gains: Mapping[Id, int], depth: int = 100) -> float:
    """The share of the relevant documents that stand among the first `depth`."""
    relevant = {document for document, gain in gains.items() if gain > 0}
    return len(relevant.intersection(ranking[:depth])) / len(relevant) if relevant else 0.0


def _discounted(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


def _json_lines(path: Path) -> Iterable[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
