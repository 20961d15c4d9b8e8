"""How long 43,968 real links take through POST /bookmarks/bulk, and what lists and searches cost right after.

Run: python -m benchmarks.bulk
"""

from __future__ import annotations

import gzip
import json
import statistics
import time
from collections import Counter
from collections.abc import Callable

import httpx

from benchmarks.stack import DATA, new_person, running_stack

BATCH = 1000


def load_links() -> list[dict[str, object]]:
    """The links as POST /bookmarks takes them, capture off."""
    with gzip.open(DATA / "links.jsonl.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    return [
        {
            "url": line["url"],
            "title": (line.get("title") or "")[:2000],
            "description": line.get("description") or "",
            "tags": line.get("tags") or [],
            "capture": False,
        }
        for line in lines
    ]


def save_all(client: httpx.Client, items: list[dict[str, object]]) -> tuple[Counter[str], float]:
    """What became of the items, and the seconds it took."""
    ends: Counter[str] = Counter()
    started = time.perf_counter()
    for start in range(0, len(items), BATCH):
        answer = client.post("bookmarks/bulk", json={"items": items[start : start + BATCH]}).raise_for_status().json()
        ends.update({name: answer[name] for name in ("created", "duplicates", "invalid")})
        for result in answer["results"]:
            if result["status"] == "invalid":
                print("  invalid:", result["error"], items[start + result["index"]]["url"])
    return ends, time.perf_counter() - started


def median_ms(call: Callable[[], httpx.Response], times: int = 15) -> float:
    """The median of several calls, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call().raise_for_status()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    items = load_links()
    with running_stack(EMBEDDING_PROVIDER="none") as url:
        client = new_person(url)
        ends, seconds = save_all(client, items)
        print(f"{len(items)} links: {dict(ends)} in {seconds:.1f} s, {len(items) / seconds:.0f}/s")
        for path in ("bookmarks", "bookmarks?tag=python", "bookmarks?page=1000", "bookmarks?q=database", "tags"):
            print(f"  GET {path}: {median_ms(lambda path=path: client.get(path)):.1f} ms")  # type: ignore[misc]
        for query in ("database", "machine learning", "awesome python testing"):
            taken = median_ms(lambda query=query: client.get("search", params={"q": query, "mode": "text"}))  # type: ignore[misc]
            total = client.get("search", params={"q": query, "mode": "text"}).json()["total"]
            print(f"  GET search?q={query}: {taken:.1f} ms, {total} found")
        hundred = [{"url": f"https://single.example/{n}", "capture": False} for n in range(100)]
        started = time.perf_counter()
        for item in hundred:
            client.post("bookmarks", json=item).raise_for_status()
        single = time.perf_counter() - started
        more = [{"url": f"https://bulk.example/{n}", "capture": False} for n in range(100)]
        started = time.perf_counter()
        client.post("bookmarks/bulk", json={"items": more}).raise_for_status()
        bulk = time.perf_counter() - started
        print(f"  100 single creates {single:.2f} s, bulk of 100 {bulk:.3f} s: {single / bulk:.0f} times faster")


if __name__ == "__main__":
    main()
