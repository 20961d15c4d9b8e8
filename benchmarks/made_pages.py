"""Pages made by hand in the markup of well-known generators, and how a reading of them is scored.

Run: python -m benchmarks.made_pages [--misses]. They lie beside the repository, in `../shared/data/made`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.capture.extract.page_reader import extract_page
from benchmarks.page_truth import PAGES

MADE = PAGES.parent / "made"
_ATTRIBUTES = re.compile(r"(?<=<)([a-z][a-z0-9]*)\s[^>]*(?=>)")


@dataclass(frozen=True)
class MadePage:
    """One page or reduced input; passages stand in the text in their order, blanks folded."""

    path: Path
    media_type: str
    url: str
    kept: tuple[str, ...]
    verbatim: tuple[str, ...]
    unwanted: tuple[str, ...]
    title: str | None
    author: str | None
    html: tuple[str, ...]
    html_unwanted: tuple[str, ...]
    one_line: tuple[tuple[str, ...], ...]

    @property
    def is_reduced(self) -> bool:
        return self.path.parent.name == "minimal"

    def body(self) -> bytes:
        """The page as its server sends it."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class MadeResult:
    """What a reader has made of one of the pages."""

    title: str | None
    author: str | None
    text: str
    html: str


@dataclass(frozen=True)
class MadeScore:
    """What is right in one reading: each list names what was missed, or kept wrongly."""

    page: MadePage
    lost: list[str]
    damaged: list[str]
    leaked: list[str]
    others: list[str]

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.damaged or self.leaked or self.others)


def load_made(made: Path = MADE) -> list[MadePage]:
    """All pages and reduced inputs, in the order of the list."""
    return [_page(record, made) for record in json.loads((made / "expected.json").read_text())]


def _page(record: dict[str, object], made: Path) -> MadePage:
    lists = {
        name: tuple(record.get(name) or ())  # type: ignore[arg-type]
        for name in ("kept", "verbatim", "unwanted", "html", "html_unwanted", "one_line")
    }
    stated = {name: str(record[name]) if record.get(name) else None for name in ("title", "author")}
    address = {"media_type": str(record["media_type"]), "url": str(record["url"])}
    return MadePage(path=made / str(record["file"]), **address, **lists, **stated)  # type: ignore[arg-type]


def score_made(page: MadePage, result: MadeResult) -> MadeScore:
    """Compare a reading with what is expected of it."""
    code = "\n".join(line.rstrip() for line in result.text.splitlines())
    return MadeScore(
        page,
        lost=list(_missing(page.kept, result.text)),
        damaged=[snippet for snippet in page.verbatim if snippet not in code],
        leaked=[passage for passage in page.unwanted if passage in result.text],
        others=list(_other_faults(page, result)),
    )


def _missing(passages: Iterable[str], text: str) -> Iterator[str]:
    """Passages that do not follow the one before."""
    line, reached = _folded(text), 0
    for passage in passages:
        found = line.find(_folded(passage), reached)
        if found < 0:
            yield passage
        else:
            reached = found + len(_folded(passage))


def _other_faults(page: MadePage, result: MadeResult) -> Iterator[str]:
    for name in ("title", "author"):
        stated, found = getattr(page, name), getattr(result, name)
        if stated and stated != found:
            yield f"{name} is {found!r}, not {stated!r}"
    html = _ATTRIBUTES.sub(r"\1", result.html)
    yield from (f"html lacks {markup}" for markup in page.html if markup not in html and markup not in result.html)
    yield from (f"html has {markup}" for markup in page.html_unwanted if markup in html)
    lines = result.text.splitlines()
    for cells in page.one_line:
        if not any(all(cell in line for cell in cells) for line in lines):
            yield f"not on one line: {cells}"


def _folded(text: str) -> str:
    return " ".join(text.split())


def print_made(scores: Sequence[MadeScore], *, misses: bool = False) -> None:
    """Print the figures of the pages, and how many of the reduced inputs are right."""
    pages = [score for score in scores if not score.page.is_reduced]
    kept = sum(len(score.page.kept) - len(score.lost) for score in pages)
    code = sum(len(score.page.verbatim) - len(score.damaged) for score in pages)
    leaked = sum(len(score.leaked) for score in pages)
    passages = sum(len(score.page.kept) for score in pages)
    blocks = sum(len(score.page.verbatim) for score in pages)
    print(f"{len(pages)} made pages: {kept} of {passages} passages kept, {code} of {blocks} code blocks verbatim,")
    print(f"    {leaked} pieces of furniture")
    reduced = [score for score in scores if score.page.is_reduced]
    print(f"{len(reduced)} reduced inputs: {sum(score.is_right for score in reduced)} right")
    for score in scores:
        if misses and not score.is_right:
            print(f"  {score.page.path.name}")
            for name in ("lost", "damaged", "leaked", "others"):
                print(*(f"    {name}: {fault!r}\n" for fault in getattr(score, name)), sep="", end="")


def read_made(page: MadePage) -> MadeScore:
    """Read one of the pages below the API, and score the reading."""
    read = extract_page(page.body(), url=page.url, media_type=page.media_type, charset="utf-8")
    return score_made(page, MadeResult(read.title, read.author, read.text, read.html))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--made", type=Path, default=MADE, help="directory of expected.json")
    parser.add_argument("--misses", action="store_true", help="list what is wrong")
    options = parser.parse_args()
    print_made([read_made(page) for page in load_made(options.made)], misses=options.misses)


if __name__ == "__main__":
    main()
