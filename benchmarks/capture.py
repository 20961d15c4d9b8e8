"""Real pages through the whole product: saved over HTTP, fetched from a local server, read by the worker, compared.

Run: python -m benchmarks.capture
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from benchmarks.made_pages import MadePage, MadeResult, load_made, print_made, score_made
from benchmarks.page_truth import BODIES, PageTruth, four_gram_f1, load_truth, title_matches
from benchmarks.stack import RAISED_LIMITS, new_person, running_stack

WAIT_SECONDS = 900


@contextmanager
def serving_pages(truths: list[PageTruth], made: list[MadePage]) -> Iterator[str]:
    """The stored and the made pages over HTTP, each under its number, their bytes as the sites once served them."""
    pages = [*((truth.body, "text/html") for truth in truths), *((page.body, page.media_type) for page in made)]

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            read, media_type = pages[int(self.path.rpartition("/")[2])]
            body = read()
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/page"
    server.shutdown()


def capture_all(client: httpx.Client, urls: list[str]) -> tuple[list[dict[str, Any]], float]:
    """The bookmarks of all the pages once their captures have ended, and the seconds it took."""
    started = time.perf_counter()
    answer = client.post("bookmarks/bulk", json={"items": [{"url": url} for url in urls]}).raise_for_status().json()
    ids = [result["id"] for result in answer["results"]]
    while time.perf_counter() - started < WAIT_SECONDS:
        if client.get("bookmarks", params={"capture_status": "pending"}).json()["total"] == 0:
            break
        time.sleep(0.2)
    seconds = time.perf_counter() - started
    return [client.get(f"bookmarks/{id_}").json() for id_ in ids], seconds


def main() -> None:
    """Measure and print."""
    truths, made = load_truth(), load_made()
    count = len(truths) + len(made)
    with (
        serving_pages(truths, made) as site,
        running_stack(
            *("--rq-workers", "2"),
            CAPTURE_ALLOWED_NETWORKS="127.0.0.0/8",
            EMBEDDING_PROVIDER="none",
            LOG_LEVEL="WARNING",
            **RAISED_LIMITS,
        ) as stack,
    ):
        client = new_person(stack.url)
        bookmarks, seconds = capture_all(client, [f"{site}/{number}" for number in range(count)])
        statuses = Counter(bookmark["capture"]["status"] for bookmark in bookmarks)
        print(f"{count} pages in {seconds:.1f} s with 2 workers: {dict(statuses)}")
        for bookmark, truth in zip(bookmarks, [*truths, *made], strict=True):
            if bookmark["capture"]["status"] != "captured":
                print("  not captured:", truth.path.name, bookmark["capture"]["error"])
        _compare(client, bookmarks[: len(truths)], truths)
        pairs = zip(made, bookmarks[len(truths) :], strict=True)
        print_made([score_made(page, _made_result(client, bookmark)) for page, bookmark in pairs], misses=True)


def _compare(client: httpx.Client, bookmarks: list[dict[str, Any]], truths: list[PageTruth]) -> None:
    pairs = list(zip(bookmarks, truths, strict=True))
    texts = {
        bookmark["id"]: client.get(f"bookmarks/{bookmark['id']}/content").json().get("text", "")
        for bookmark, _ in pairs
    }
    judged = [
        (truth.text, texts[bookmark["id"]])
        for bookmark, truth in pairs
        if truth.source == BODIES and truth.text is not None
    ]
    print(f"body text, {len(judged)} article-extraction-benchmark pages: 4-gram F1 {four_gram_f1(judged).f1:.4f}")
    titled = [(bookmark, truth) for bookmark, truth in pairs if truth.title]
    right = sum(title_matches(truth.title or "", bookmark["title"]) for bookmark, truth in titled)
    print(f"titles right: {right} of {len(titled)} ({right / len(titled):.1%})")


def _made_result(client: httpx.Client, bookmark: dict[str, Any]) -> MadeResult:
    content = client.get(f"bookmarks/{bookmark['id']}/content").json()
    return MadeResult(bookmark["title"], bookmark["author"], content.get("text", ""), content.get("html", ""))


if __name__ == "__main__":
    main()
