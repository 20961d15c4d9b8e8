"""Learn the weights of the article model: `python -m benchmarks.article_weights [--write]`.

Bodies and passages that people have marked say which blocks belong to an article. Prints how well pages are read that
were left out of learning, in ten parts; `--write` writes the weights of all pages into the model's module.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backend.capture.extract import article, selection
from backend.capture.extract.article_model import weights as module
from backend.capture.extract.article_model.features import BlockEvidence, features_of
from backend.capture.extract.article_model.names import GROUPS
from backend.capture.extract.blocks import Block, blocks_of
from backend.capture.extract.charset import decode_text
from backend.capture.extract.metadata import read_metadata
from backend.capture.extract.preparation.tree import prepare_tree
from backend.capture.extract.readers import FOUND, compact, coverage, read_by_readability, read_by_trafilatura
from backend.capture.extract.rendering import render_text
from backend.capture.extract.scan import scan_html
from backend.capture.extract.text import clean_text
from backend.capture.extract.trimming import trimmed
from benchmarks.page_truth import BODIES, PASSAGES, PageTruth, four_gram_f1, load_truth, passages_in

Numbers = npt.NDArray[np.float64]

PARTS = 10
REGULARIZATION = 4.0
PASSAGE_WEIGHT = 0.5
MAX_LENGTH = 400  # Letters with which a block counts.
SEED = 1


@dataclass(frozen=True)
class Example:
    """One page: the evidence, its features, and for each block whether it belongs to the article."""

    truth: PageTruth
    evidence: BlockEvidence
    author: str | None
    features: Numbers
    labels: Numbers  # −1 where nothing is known.
    weights: Numbers


def load_examples(names: Sequence[str], truths: Iterable[PageTruth]) -> Iterator[Example]:
    """Read the pages, and label their blocks."""
    for truth in truths:
        if truth.source not in (BODIES, PASSAGES):
            continue
        markup = clean_text(decode_text(truth.body(), None))
        tree = article._parse(markup)
        metadata = read_metadata(scan_html(markup), truth.url, truth.url)
        prepare_tree(tree)
        blocks = blocks_of([tree])
        letters = [compact(block.text) for block in blocks]
        readers = (read_by_trafilatura, selection.read_precisely, read_by_readability)
        first, second, third = (coverage(letters, read(tree)) for read in readers)
        stated = metadata.title or "", metadata.description or ""
        evidence = BlockEvidence(blocks, letters, first, second, third, *stated)
        rows = [[features.get(name, 0.0) for name in names] for features in features_of(evidence)]
        labels, weights = _labels(truth, blocks, letters)
        yield Example(
            truth, evidence, metadata.author, np.array(rows).reshape(len(blocks), len(names)), labels, weights
        )


def _labels(truth: PageTruth, blocks: Sequence[Block], letters: Sequence[str]) -> tuple[Numbers, Numbers]:
    if truth.text is not None:
        shares = np.array(coverage(letters, [truth.text, *truth.text.split("\n")]))
        weights = np.array([min(len(text), MAX_LENGTH) / 100 + 0.05 for text in letters])
        return (shares >= FOUND).astype(float), weights * PARTS / max(1.0, weights.sum())
    labels = np.array([_passage_label(truth, " ".join(block.text.split())) for block in blocks])
    return labels, np.full(len(blocks), PASSAGE_WEIGHT)


def _passage_label(truth: PageTruth, text: str) -> float:
    for passages, label in ((truth.required, 1.0), (truth.forbidden, 0.0)):
        if any(" ".join(passage.split()) in text for passage in passages):
            return label
    return -1.0


def fit(examples: Sequence[Example]) -> Numbers:
    """Return the weights, the bias last: logistic regression with a quadratic penalty, by Newton's method."""
    rows = np.vstack([example.features for example in examples])
    labels, weights = (
        np.concatenate([getattr(example, name) for example in examples]) for name in ("labels", "weights")
    )
    known = labels >= 0
    rows = np.hstack([rows[known], np.ones((known.sum(), 1))])
    labels, weights = labels[known], weights[known]
    penalty = np.full(rows.shape[1], REGULARIZATION)
    penalty[-1] = 1e-6
    found = np.zeros(rows.shape[1])
    for _ in range(25):
        probability = _sigmoid(rows @ found)
        gradient = rows.T @ (weights * (probability - labels)) + penalty * found
        curvature = (rows * (weights * probability * (1 - probability))[:, None]).T @ rows + np.diag(penalty)
        found -= np.linalg.solve(curvature, gradient)
    return found


def _sigmoid(values: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))


def read_left_out(examples: Sequence[Example]) -> Iterator[tuple[PageTruth, str]]:
    """Read each page by weights learned from others."""
    shuffled = list(examples)
    random.Random(SEED).shuffle(shuffled)
    for part in range(PARTS):
        found = fit([example for place, example in enumerate(shuffled) if place % PARTS != part])
        for example in shuffled[part::PARTS]:
            likely = _sigmoid(example.features @ found[:-1] + found[-1])
            chosen = selection.choose(example.evidence, likely.tolist())
            yield example.truth, render_text(trimmed(chosen, example.evidence.title, example.author))


def cross_validate(examples: Sequence[Example]) -> str:
    """Say how well pages are read by weights learned from others."""
    readings = list(read_left_out(examples))
    bodies = [(truth.text, text) for truth, text in readings if truth.text is not None]
    kept, leaked = (
        sum(passages_in(text, getattr(truth, kind)) for truth, text in readings)
        / sum(len(getattr(truth, kind)) for truth, _ in readings)
        for kind in ("required", "forbidden")
    )
    return f"{four_gram_f1(bodies)} kept {kept:.1%} leaked {leaked:.1%}"


def write_weights(names: Sequence[str], found: Numbers) -> None:
    """Write the module of weights."""
    lines = [f'    "{name}": {weight:.3f},' for name, weight in zip(names, found, strict=False)]
    head = '"""Weights of the model, learned by `python -m benchmarks.article_weights --write`."""'
    text = f"{head}\n\nfrom __future__ import annotations\n\nBIAS = {found[-1]:.3f}\nWEIGHTS: dict[str, float] = {{\n"
    Path(module.__file__).write_text(text + "\n".join(lines) + "\n}\n")


def feature_names() -> list[str]:
    """Return the names of all features, in the order in which they are computed."""
    paragraph = article._parse("<p>A line.</p>")
    blocks = blocks_of([paragraph])
    evidence = BlockEvidence(blocks, ["aline"], [1.0], [1.0], [1.0], "", "")
    return [*features_of(evidence)[0], *(f"in_{group}" for group in GROUPS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the weights learned from all pages")
    options = parser.parse_args()
    names = feature_names()
    examples = list(load_examples(names, load_truth()))
    print(f"{len(examples)} pages, {len(names)} features; pages left out of learning: {cross_validate(examples)}")
    if options.write:
        write_weights(names, fit(examples))


if __name__ == "__main__":
    main()
