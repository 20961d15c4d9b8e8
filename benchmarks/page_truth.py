"""Real pages with known answers, and how a reading of them is scored.

The pages lie beside the repository, in `../shared/data/pages`; MANIFEST.md there says where they come from.
"""

from __future__ import annotations

import gzip
import json
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PAGES = Path(__file__).resolve().parents[2] / "shared" / "data" / "pages"
BODIES = "scrapinghub/article-extraction-benchmark"  # `text` is the article's body, copied out by people.
PASSAGES = "adbar/trafilatura"  # `required` and `forbidden` were chosen by people, as was `title`.
SNAPSHOTS = "mozilla/readability"  # `text` and `title` are what Readability.js made of the page.

_TOKEN = re.compile(r"\w+")
_QUOTES = str.maketrans({**dict.fromkeys("‘’‚‛`´′", "'"), **dict.fromkeys("“”„‟«»″", '"')})


@dataclass(frozen=True)
class PageTruth:
    """One page and what is known of it; `url` is a placeholder where the source does not state one."""

    id: str
    source: str
    path: Path
    url: str
    title: str | None
    text: str | None
    required: tuple[str, ...]
    forbidden: tuple[str, ...]

    def body(self) -> bytes:
        """The page as its server sent it."""
        return gzip.decompress(self.path.read_bytes())


class Score(NamedTuple):
    """Means over documents, and the F1 of these two means."""

    precision: float
    recall: float
    f1: float


def load_truth(pages: Path = PAGES) -> list[PageTruth]:
    """All pages whose answers are known, in the order of the list."""
    with gzip.open(pages / "ground-truth.jsonl.gz", "rt") as lines:
        return [_truth(json.loads(line), pages) for line in lines]


def _truth(record: dict[str, object], pages: Path) -> PageTruth:
    return PageTruth(
        id=str(record["id"]),
        source=str(record["source"]),
        path=pages / str(record["file"]),
        url=str(record["url"] or "https://page.example/"),
        title=str(record["title"]) if record.get("title") else None,
        text=str(record["text"]) if record.get("text") else None,
        required=tuple(record.get("with") or ()),  # type: ignore[arg-type]
        forbidden=tuple(record.get("without") or ()),  # type: ignore[arg-type]
    )


def four_gram_f1(pairs: Iterable[tuple[str, str]]) -> Score:
    r"""How well texts agree, given as (true, found).

    Of each pair the multisets of 4-grams of `\w+` tokens are compared; precision and recall are averaged over
    documents. This is what `evaluate.py` of scrapinghub/article-extraction-benchmark computes, so that
    numbers compare with those published there.
    """
    precisions, recalls = [], []
    for true, found in pairs:
        wanted, got = _four_grams(true), _four_grams(found)
        common = (wanted & got).total()
        if got:
            precisions.append(common / got.total())
        if wanted:
            recalls.append(common / wanted.total())
    precision, recall = (statistics.fmean(values) if values else 0.0 for values in (precisions, recalls))
    return Score(precision, recall, 2 * precision * recall / (precision + recall or 1))


def _four_grams(text: str) -> Counter[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    return Counter(tuple(tokens[start : start + 4]) for start in range(max(1, len(tokens) - 3)) if tokens)


def title_matches(true: str, found: str | None) -> bool:
    """Whether two titles are the same but for case, spaces and the shape of quotation marks."""
    return _comparable(true) == _comparable(found or "")


def _comparable(title: str) -> str:
    return " ".join(unicodedata.normalize("NFC", title).translate(_QUOTES).split()).casefold()


def passages_in(text: str, passages: Iterable[str]) -> int:
    """How many of the passages stand in `text`, wherever its lines break."""
    line = " ".join(text.split())
    return sum(" ".join(passage.split()) in line for passage in passages)
