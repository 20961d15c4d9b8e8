"""How well searches rank, over HTTP: `python -m benchmarks.relevance [--sets …] [--modes …] [--url URL] [--dump FILE]`.

Each set of `../shared/data/relevance` becomes an account of its own (title → title, text → description, no capture).
Every judged query is asked in each mode; nDCG@10 and Recall@100 stand beside the references of the data's MANIFEST.md.
Without `--url` the stack is started as `make run` starts it, and thrown away. `--modes text` starts it without
embeddings, which saves the wait for them. The set `mixed` is an account that holds two English sets and the paragraphs
of XQuAD in twelve languages: what English loses there to an account of the same two sets alone. Measures, and says what
holds; ends with 0 either way.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import IO, Any

import httpx

from benchmarks.loading import DEADLINE_SECONDS, save_all, wait_until_counted, wait_until_embedded, wait_until_quiet
from benchmarks.relevance_sets import NAMES, REFERENCES, RelevanceSet, Scores, load_paragraphs, load_set
from benchmarks.stack import RunningStack, new_person, running_stack

REFERENCE_OF = {"text": "bm25", "semantic": "minilm", "hybrid": "rrf"}
MODES = tuple(REFERENCE_OF)
PAGE_SIZE = 100
MIXED, MIXED_SETS, MIXED_LOSS = "mixed", ("cranfield", "cacm"), 0.005
LONGEST_QUERY = 1_000

Ranking = list[tuple[str, float]]
Table = Mapping[str, Mapping[str, Scores]]


@dataclass(frozen=True)
class Goal:
    """nDCG@10 of a mode against its reference: how much more the mean must be, and how much less one set may be."""

    mode: str
    mean_more: float | None
    set_less: float


GOALS = (Goal("text", 0.0, 0.01), Goal("semantic", None, 0.005), Goal("hybrid", 0.01, 0.005))


@dataclass(frozen=True)
class LoadedSet:
    """A set that is in an account; `documents` are the document ids by bookmark id."""

    judged: RelevanceSet
    client: httpx.Client
    documents: dict[int, str]


def main() -> None:
    """Load, wait, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choices = (*NAMES, MIXED)
    parser.add_argument("--sets", nargs="+", default=list(choices), choices=choices)
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--url", help="a stack that runs already, without rate limits")
    parser.add_argument("--settle", type=float, default=20, help="seconds of quiet before the first query")
    parser.add_argument("--deadline", type=float, default=DEADLINE_SECONDS, help="longest wait for the worker, seconds")
    parser.add_argument("--dump", type=Path, help="JSON lines {set, mode, query, ranking: [[document, score], …]}")
    options = parser.parse_args()
    names = [name for name in options.sets if name != MIXED]
    with (
        _stack(options.url, options.modes) as (url, stack),
        options.dump.open("w") if options.dump else nullcontext() as dump,
    ):
        alone = [load_into_account(url, load_set(name)) for name in names]
        english = load_together(url) if MIXED in options.sets else []
        mixed = load_together(url, load_paragraphs()) if MIXED in options.sets else []
        seconds = wait_until_embedded(url, options.deadline)
        wait_until_quiet(url, options.settle, options.deadline)
        if stack:
            wait_until_counted(stack, options.deadline)
        print(f"all embedded {seconds:.0f} s after the last was saved\n", flush=True)
        table = {one.judged.name: measure(one, options.modes, dump) for one in alone}
        print("\nEnglish sets together, alone and among texts in twelve languages" if mixed else "", flush=True)
        together = {one.judged.name: measure(one, options.modes, None) for one in english}
        among = {one.judged.name: measure(one, options.modes, None) for one in mixed}
    for line in (*(summary(table) if table else ()), *losses(together, among)):
        print(line)


def load_into_account(url: str, judged: RelevanceSet) -> LoadedSet:
    """Save all documents of a set in a new account."""
    client = new_person(url)
    return LoadedSet(judged, client, _save(client, judged))


def load_together(url: str, *others: RelevanceSet) -> list[LoadedSet]:
    """Save two English sets in one new account, and others of which nothing is asked."""
    client = new_person(url)
    for one in others:
        _save(client, one)
    sets = [load_set(name) for name in MIXED_SETS]
    saved = {judged.name: _save(client, judged) for judged in sets}
    return [LoadedSet(judged, client, saved[judged.name]) for judged in sets]


def _save(client: httpx.Client, judged: RelevanceSet) -> dict[int, str]:
    saved = save_all(client, bookmark_items(judged))
    print(f"{judged.name}: {dict(saved.ends)} in {saved.seconds:.1f} s", flush=True)
    documents = {
        bookmark_id: document.id
        for bookmark_id, document in zip(saved.ids, judged.documents, strict=True)
        if bookmark_id is not None
    }
    if len(documents) < len(judged.documents):
        raise RuntimeError(f"{len(judged.documents) - len(documents)} documents of {judged.name} were not saved")
    return documents


def bookmark_items(judged: RelevanceSet) -> Iterator[dict[str, object]]:
    """The documents as POST /bookmarks takes them, each under an address made for it; an empty title is left out."""
    for number, document in enumerate(judged.documents, start=1):
        title = {"title": document.title} if document.title.strip() else {}
        url = f"https://{judged.name}.example/{number}"
        yield {"url": url, **title, "description": document.text, "capture": False}


def measure(loaded: LoadedSet, modes: list[str], dump: IO[str] | None) -> dict[str, Scores]:
    """The scores of a set in each mode, printed as they come."""
    scores = {}
    for mode in modes:
        rankings: dict[str, Ranking] = {}
        times = []
        for query, text in loaded.judged.queries.items():
            started = time.perf_counter()
            rankings[query] = ask(loaded, text, mode)
            times.append((time.perf_counter() - started) * 1000)
            if dump:
                line = {"set": loaded.judged.name, "mode": mode, "query": query, "ranking": rankings[query]}
                dump.write(json.dumps(line) + "\n")
        scores[mode] = loaded.judged.score({query: [id_ for id_, _ in found] for query, found in rankings.items()})
        _print_scores(loaded.judged.name, mode, scores[mode], f"median {median(times):.0f} ms")
    return scores


def ask(loaded: LoadedSet, text: str, mode: str) -> Ranking:
    """The first hundred documents for a query, best first, with their scores.

    Raises:
        RuntimeError: the answer is not 200, or is by words where meaning was asked for.
    """
    params: dict[str, str | int] = {"q": cut_query(text), "mode": mode, "page_size": PAGE_SIZE}
    answer = loaded.client.get("search", params=params)
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{answer.status_code} for {params}: {answer.text}")
    body: dict[str, Any] = answer.json()
    if body["degraded"]:
        raise RuntimeError(f"degraded: {params}")
    # What is not of the set, in a mixed account, is never what is sought.
    return [(loaded.documents.get(item["bookmark"]["id"], ""), item["score"]) for item in body["items"]]


def cut_query(text: str, longest: int = LONGEST_QUERY) -> str:
    """The query, cut between words where the API would refuse its length."""
    if len(text) <= longest:
        return text
    cut, space, _ = text[: longest + 1].rpartition(" ")
    return cut if space else text[:longest]


def summary(table: Table) -> Iterator[str]:
    """The means over the sets of `table` (set → mode → scores), and which goals hold on them."""
    modes = [mode for mode in MODES if all(mode in scores for scores in table.values())]
    yield f"\nmeans over {', '.join(table)}"
    for mode in modes:
        mean, reference = means(table, mode)
        yield (
            f"  {mode:<9} nDCG@10 {mean.ndcg_10:.4f} ({mean.ndcg_10 - reference.ndcg_10:+.4f} against "
            f"{REFERENCE_OF[mode]} {reference.ndcg_10:.4f})  Recall@100 {mean.recall_100:.3f} "
            f"({mean.recall_100 - reference.recall_100:+.3f})"
        )
    for goal in GOALS:
        if goal.mode in modes:
            yield from judge(table, goal)


def means(table: Table, mode: str) -> tuple[Scores, Scores]:
    """Means over the sets: those of the mode, and those of its reference."""
    measured = [scores[mode] for scores in table.values()]
    references = [REFERENCES[name][REFERENCE_OF[mode]] for name in table]
    return _mean(measured), _mean(references)


def judge(table: Table, goal: Goal) -> Iterator[str]:
    """One line for each part of the goal: PASS or FAIL, and by how much."""
    reference = REFERENCE_OF[goal.mode]
    if goal.mean_more is not None:
        mean, wanted = means(table, goal.mode)
        difference = mean.ndcg_10 - wanted.ndcg_10
        yield _verdict(
            difference >= goal.mean_more, f"{goal.mode}: mean ≥ {reference} {goal.mean_more:+.3f}", difference
        )
    differences = {
        name: scores[goal.mode].ndcg_10 - REFERENCES[name][reference].ndcg_10 for name, scores in table.items()
    }
    worst = min(differences, key=lambda name: differences[name])
    claim = f"{goal.mode}: each set ≥ {reference} −{goal.set_less:.3f} (least: {worst})"
    yield _verdict(differences[worst] >= -goal.set_less, claim, differences[worst])


def losses(alone: Table, among: Table) -> Iterator[str]:
    """One line for each set and mode: what is lost among texts in other languages to being alone."""
    for name, scores in among.items():
        for mode in scores.keys() & alone.get(name, {}).keys():
            difference = scores[mode].ndcg_10 - alone[name][mode].ndcg_10
            claim = f"{mode}: {name} among twelve languages ≥ alone −{MIXED_LOSS:.3f}"
            yield _verdict(difference >= -MIXED_LOSS, claim, difference)


def _verdict(holds: bool, claim: str, difference: float) -> str:
    return f"{'PASS' if holds else 'FAIL'}  {claim}: {difference:+.4f}"


def _mean(scores: list[Scores]) -> Scores:
    return Scores(fmean(one.ndcg_10 for one in scores), fmean(one.recall_100 for one in scores))


def _print_scores(name: str, mode: str, scores: Scores, note: str) -> None:
    reference = REFERENCES[name][REFERENCE_OF[mode]]
    print(
        f"{name:<11} {mode:<9} nDCG@10 {scores.ndcg_10:.4f} ({scores.ndcg_10 - reference.ndcg_10:+.4f} against "
        f"{REFERENCE_OF[mode]} {reference.ndcg_10:.4f})  Recall@100 {scores.recall_100:.3f} "
        f"({scores.recall_100 - reference.recall_100:+.3f} against {reference.recall_100:.3f})  {note}",
        flush=True,
    )


@contextmanager
def _stack(url: str | None, modes: list[str]) -> Iterator[tuple[str, RunningStack | None]]:
    if url is not None:
        yield url.rstrip("/"), None
        return
    provider = {"EMBEDDING_PROVIDER": "none"} if modes == ["text"] else {}
    with running_stack(ENABLE_RATE_LIMITING="false", **provider) as stack:
        yield stack.url, stack


if __name__ == "__main__":
    main()
