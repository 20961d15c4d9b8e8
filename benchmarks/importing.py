"""How fast a file of bookmarks is imported, and what the worker takes for it: the real links, and 100,000 lines.

Run: python -m benchmarks.importing [lines …]
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

import httpx
import psutil

from benchmarks.capture_rate import memory
from benchmarks.corpora import load_links, varied_links
from benchmarks.stack import RAISED_LIMITS, new_person, running_stack
from benchmarks.timing import median_ms

LINES = 100_000
HEAD = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n"
LOOK_SECONDS = 0.2
ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class WorkerMemory:
    """The most that the worker had at any moment, in MB: all its processes together (PSS), and the largest (RSS)."""

    together: float = 0.0
    largest: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look every half a second until told to stop."""
        while not self.stop.wait(0.5):
            self.together = max(self.together, memory("worker"))
            self.largest = max(self.largest, _largest_rss())


def netscape_html(items: Sequence[Mapping[str, Any]]) -> bytes:
    """The links as browsers export them."""
    lines = [
        f'<DT><A HREF="{escape(str(item["url"]))}" ADD_DATE="{1_500_000_000 + place}"'
        f' TAGS="{escape(",".join(item.get("tags", ())))}">{escape(str(item.get("title") or ""))}</A>\n'
        f"<DD>{escape(str(item.get('description') or ''))}\n"
        for place, item in enumerate(items)
    ]
    return (HEAD + "".join(lines) + "</DL><p>\n").encode()


def import_file(client: httpx.Client, content: bytes, **how: str) -> dict[str, Any]:
    """Have a file imported, and wait until that has ended; the job."""
    answer = client.post("bookmarks/import", files={"file": ("bookmarks.html", content)}, data=how)
    job: dict[str, Any] = answer.raise_for_status().json()
    while job["status"] not in ENDED:
        time.sleep(LOOK_SECONDS)
        job = client.get(f"jobs/{job['id']}").raise_for_status().json()
    return job


def measure(url: str, name: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Import some links into an account of their own, and print what it took."""
    client, content = new_person(url), netscape_html(items)
    with _watched() as peak:
        began = time.perf_counter()
        job = import_file(client, content, capture="false")
        waited = time.perf_counter() - began
    if job["status"] != "succeeded":
        raise RuntimeError(f"{job['status']}: {job['error']}")
    result, seconds = job["result"], _seconds(job)
    counts = ", ".join(f"{result[kind]} {kind}" for kind in ("found", "created", "duplicates", "skipped", "failed"))
    print(f"{name}, {len(content) / 1e6:.1f} MB: {counts}")
    print(f"  {seconds:.1f} s in the worker, {result['found'] / seconds:.0f} lines/s; {waited:.1f} s for the client")
    print(f"  worker at most {peak.together:.0f} MB together (PSS), its largest process {peak.largest:.0f} MB (RSS)")
    print(f"  GET bookmarks right after: {median_ms(lambda: client.get('bookmarks')):.1f} ms")


def main() -> None:
    """Measure and print."""
    links = load_links()
    numbers = [int(number) for number in sys.argv[1:]] or [LINES]
    with running_stack(EMBEDDING_PROVIDER="none", **RAISED_LIMITS) as stack:
        measure(stack.url, "the real links", links)
        for number in numbers:
            measure(stack.url, f"{number} lines", list(varied_links(links, number)))


@contextmanager
def _watched() -> Iterator[WorkerMemory]:
    peak = WorkerMemory()
    thread = threading.Thread(target=peak.watch)
    thread.start()
    try:
        yield peak
    finally:
        peak.stop.set()
        thread.join()


def _seconds(job: Mapping[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _largest_rss() -> float:
    found = [0.0]
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "backend worker" in " ".join(process.cmdline()):
                found.append(process.memory_info().rss / 1e6)
    return max(found)


if __name__ == "__main__":
    main()
