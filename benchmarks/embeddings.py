"""How well and how fast the local embeddings are: `python -m benchmarks.embeddings`.

Quality: every judged query of a set against all its documents (title and text) by exact cosine, in fp32 and
in the int8 that Fuze runs, beside the references of the data's MANIFEST.md. Speed: on links-xref.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from onnxruntime import InferenceSession

from backend.ai.embeddings import local
from backend.ai.embeddings.local import LocalEmbeddings
from backend.ai.embeddings.minilm_graph import build_model
from backend.ai.embeddings.provider import Vectors
from backend.ai.embeddings.weights import WEIGHTS, read_weights
from benchmarks.relevance_sets import NAMES, REFERENCES, RelevanceSet, Scores, load_set

DEPTH = 100
SAMPLE = 4_000
QUERY = ["how to learn rust in a weekend"]


class ExactEmbeddings(LocalEmbeddings):
    """The same model in fp32."""

    def _session(self) -> InferenceSession:
        weights = read_weights(self._folder / WEIGHTS)
        return local.open_session(build_model(weights, quantized=False), self._threads)


PROVIDERS = {"fp32": ExactEmbeddings, "int8": LocalEmbeddings}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", default=list(NAMES), choices=NAMES)
    parser.add_argument("--precisions", nargs="*", default=list(PROVIDERS), choices=PROVIDERS)
    parser.add_argument("--tokens", nargs="*", type=int, default=[local.MAX_TOKENS], help="longest text")
    parser.add_argument("--no-speed", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.no_speed:
            print_speed(Path(folder))
        for name in options.sets:
            print_quality(load_set(name), options.precisions, options.tokens, Path(folder))


def print_quality(judged: RelevanceSet, precisions: list[str], lengths: list[int], folder: Path) -> None:
    """One line for each precision and length."""
    reference = REFERENCES[judged.name]["minilm"]
    print(f"{judged.name}: reference nDCG@10 {reference.ndcg_10:.4f}, Recall@100 {reference.recall_100:.3f}")
    for precision in precisions:
        for length in lengths:
            with _max_tokens(length):
                scores, rate = measure(PROVIDERS[precision](folder, threads=0), judged)
            print(
                f"  {precision}, {length} tokens: {scores.ndcg_10:.4f} "
                f"({scores.ndcg_10 - reference.ndcg_10:+.4f}), {scores.recall_100:.3f}; {rate:.0f} texts/s",
                flush=True,
            )


def measure(provider: LocalEmbeddings, judged: RelevanceSet) -> tuple[Scores, float]:
    """The scores, and documents embedded per second."""
    start = time.perf_counter()
    documents = provider.embed([document.full_text for document in judged.documents])
    rate = len(documents) / (time.perf_counter() - start)
    # One by one, as queries come.
    queries = np.concatenate([provider.embed([text]) for text in judged.queries.values()])
    return judged.score(_rankings(judged, queries, documents)), rate


def print_speed(folder: Path) -> None:
    """Times of building, loading, a query, and of many texts on one core and on all."""
    print(f"build and load: {_seconds(lambda: LocalEmbeddings(folder).embed(QUERY)):.2f} s")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(_describe_process, (folder,)))
    documents = load_set("links-xref").documents
    texts = [document.full_text for document in random.Random(1).sample(documents, SAMPLE)]
    for threads in (1, 0):
        provider = LocalEmbeddings(folder, threads=threads)
        provider.embed(QUERY)
        processor = time.process_time()
        rate = SAMPLE / _seconds(lambda: provider.embed(texts))  # noqa: B023
        per_processor_second = SAMPLE / (time.process_time() - processor)
        print(
            f"links on {'one core' if threads else 'all cores'}: {rate:.0f} texts/s, "
            f"{per_processor_second:.0f} per processor second; "
            f"all {len(documents)} in {len(documents) / rate:.0f} s"
        )


def _describe_process(folder: Path) -> str:
    """What the model costs a process that had nothing to do with building it."""
    before = _memory()
    provider = LocalEmbeddings(folder)
    load = _seconds(lambda: provider.embed(QUERY))
    memory = _memory() - before
    times = [_seconds(lambda: provider.embed(QUERY)) * 1e3 for _ in range(300)]
    return (
        f"load: {load:.2f} s, {memory:.0f} MB; "
        f"one query: p50 {statistics.median(times):.2f} ms, p95 {np.percentile(times, 95):.2f} ms"
    )


def _rankings(judged: RelevanceSet, queries: Vectors, documents: Vectors) -> dict[str, list[str]]:
    ids = [document.id for document in judged.documents]
    rankings = {}
    for query, vector in zip(judged.queries, queries, strict=True):
        cosines = documents @ vector
        best = np.argpartition(-cosines, DEPTH)[:DEPTH]
        rankings[query] = [ids[index] for index in best[np.argsort(-cosines[best], kind="stable")]]
    return rankings


@contextmanager
def _max_tokens(length: int) -> Iterator[None]:
    usual, local.MAX_TOKENS = local.MAX_TOKENS, length
    yield
    local.MAX_TOKENS = usual


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _memory() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


if __name__ == "__main__":
    main()
