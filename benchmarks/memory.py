"""What the idle stack takes of memory, by part, and a worker at most while it reads a page of 10 MiB, or a bulk.

Run: python -m benchmarks.memory [--settle 30] [--page-mib 10]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread

import httpx

from benchmarks.capture_rate import memory, peak_memory, pending, save, wait_until
from benchmarks.stack import RAISED_LIMITS, new_person, running_stack

COMMON_IDEOGRAPHS = range(0x4E00, 0x4E00 + 3_000)
SENTENCE_CHARACTERS = 30
BULK_ITEMS, NOTE_CHARACTERS = 1_000, 5_000


def main() -> None:
    """Measure and print."""
    options = _options()
    with (
        serving(chinese_page(options.page_mib * 1024 * 1024)) as port,
        running_stack("--rq-workers", "1", CAPTURE_ALLOWED_NETWORKS="127.0.0.0/8", **RAISED_LIMITS) as stack,
    ):
        time.sleep(options.settle)
        worker, scheduler, everything = memory("worker"), memory("scheduler"), memory()
        print(f"idle: worker {worker:.0f} MB, scheduler {scheduler:.0f} MB, all processes {everything:.0f} MB (PSS)")
        client = new_person(stack.url)
        with peak_memory() as peak:
            save(client, [f"http://127.0.0.1:{port}/"])
            wait_until(lambda: pending(client) == 0)
        print(f"page of {options.page_mib} MiB of Chinese text: worker at most {peak[0]:.0f} MB")
        with peak_memory() as peak:
            _save_bulk(client)
            time.sleep(options.settle)
        print(f"bulk of Chinese notes: worker at most {peak[0]:.0f} MB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settle", type=float, default=30.0)
    parser.add_argument("--page-mib", type=int, default=10)
    return parser.parse_args()


def chinese_text(random: Random, length: int) -> str:
    """Characters that are drawn at random: nearly every pair of neighbours is a new term."""
    return "".join(map(chr, random.choices(COMMON_IDEOGRAPHS, k=length)))


def chinese_page(length: int) -> bytes:
    """A page of about so many bytes, in paragraphs of a sentence."""
    random = Random(7)
    number = length // (3 * SENTENCE_CHARACTERS + 10)
    body = "".join(f"<p>{chinese_text(random, SENTENCE_CHARACTERS)}。</p>" for _ in range(number))
    return f"<!doctype html><html lang=zh><head><title>长页</title></head><body><article>{body}".encode()


@contextmanager
def serving(page: bytes) -> Iterator[int]:
    """Serve one page at every address; the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def _save_bulk(client: httpx.Client) -> None:
    random = Random(3)
    items = [
        {"url": f"https://example.org/{number}", "notes": chinese_text(random, NOTE_CHARACTERS), "capture": False}
        for number in range(BULK_ITEMS)
    ]
    body = json.dumps({"items": items}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    client.post("bookmarks/bulk", content=body, headers=headers, timeout=300).raise_for_status()


if __name__ == "__main__":
    main()
