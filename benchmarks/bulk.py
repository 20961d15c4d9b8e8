"""How long 43,968 real links take through POST /bookmarks/bulk, and what lists and searches cost right after.

Run: python -m benchmarks.bulk
"""

from __future__ import annotations

import time

from benchmarks.corpora import load_links
from benchmarks.loading import save_all
from benchmarks.stack import RAISED_LIMITS, new_person, running_stack
from benchmarks.timing import median_ms


def main() -> None:
    """Measure and print."""
    items = load_links()
    with running_stack(EMBEDDING_PROVIDER="none", **RAISED_LIMITS) as stack:
        client = new_person(stack.url)
        saved = save_all(client, items)
        print(f"{len(items)} links: {dict(saved.ends)} in {saved.seconds:.1f} s, {len(items) / saved.seconds:.0f}/s")
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
