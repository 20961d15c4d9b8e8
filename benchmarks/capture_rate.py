"""How many slow pages a worker reads in a second, what it takes, and how long others wait behind 1,000 slow links.

Run: python -m benchmarks.capture_rate [--pages 600] [--hosts 300] [--delay 2] [--slow 1000]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.stack import RAISED_LIMITS, RunningStack, free_port, new_person, running_stack

WAIT_SECONDS = 1_800
# What an article has, about: 40 kB of markup, 6 kB of text.
PARAGRAPH = "<p>The harbour master of the old town kept tide tables on yellow paper, and sold them by the pier. {}</p>"
ARTICLE = "".join(PARAGRAPH.format(f"Entry {number} was printed twice.") for number in range(60))
MENU = "".join(f'<li class="menu item"><a href="/section/{number}">Section {number}</a></li>' for number in range(500))


def main() -> None:
    """Measure and print."""
    options = _options()
    with (
        serving(options.delay) as port,
        running_stack(
            *("--rq-workers", "1"),
            CAPTURE_ALLOWED_NETWORKS="127.0.0.0/8",
            EMBEDDING_PROVIDER="none",
            LOG_LEVEL="WARNING",
            **RAISED_LIMITS,
        ) as stack,
    ):
        time.sleep(10)  # The first passes of the scheduler are over.
        print(f"idle: worker {memory('worker'):.0f} MB, all processes {memory():.0f} MB (PSS)")
        if options.pages:
            _measure_rate(stack, port, options)
        if options.slow:
            _measure_others(stack, port, options.slow)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--delay", type=float, default=2.0)
    parser.add_argument("--slow", type=int, default=1_000)
    return parser.parse_args()


def _measure_rate(stack: RunningStack, port: int, options: argparse.Namespace) -> None:
    client = new_person(stack.url)
    urls = [f"http://{host(number % options.hosts)}:{port}/page/{number}" for number in range(options.pages)]
    with peak_memory() as peak:
        started, used = time.perf_counter(), processor_seconds()
        save(client, urls)
        wait_until(lambda: pending(client) == 0)
        seconds, used = time.perf_counter() - started, processor_seconds() - used
    captured = client.get("bookmarks", params={"capture_status": "captured"}).json()["total"]
    print(
        f"{options.pages} pages of {options.hosts} hosts that answer after {options.delay:g} s: {captured} captured in "
        f"{seconds:.1f} s, {options.pages / seconds:.2f} a second; worker at most {peak[0]:.0f} MB (PSS), "
        f"all processes {1_000 * used / options.pages:.0f} ms of processor a page"
    )


def _measure_others(stack: RunningStack, port: int, number: int) -> None:
    hog, other = new_person(stack.url), new_person(stack.url)
    save(hog, [f"http://{host(index)}:{port}/never/{index}" for index in range(number)])
    time.sleep(5)
    started = time.perf_counter()
    saved = other.post("bookmarks", json={"url": f"http://{host(2_000)}:{port}/quick"}).raise_for_status().json()
    address = other.get("profile").json()["email"]
    other.post("auth/password/forgot", json={"email": address}).raise_for_status()
    mails = stack.data_dir / "mail"
    seconds = {
        "mail": _seconds(started, lambda: any(_is_for(address, mail) for mail in mails.glob("*.eml"))),
        "page": _seconds(
            started, lambda: other.get(f"bookmarks/{saved['id']}").json()["capture"]["status"] == "captured"
        ),
    }
    print(
        f"behind {number} links of one person that never answer: another's mail after {seconds['mail']:.1f} s, "
        f"another's page after {seconds['page']:.1f} s; worker {memory('worker'):.0f} MB (PSS)"
    )


def _seconds(started: float, condition: Callable[[], bool]) -> float:
    wait_until(condition)
    return time.perf_counter() - started


def _is_for(address: str, mail: Path) -> bool:
    text = mail.read_text(errors="replace")
    return f"To: {address}" in text and "reset" in text.lower()


def host(number: int) -> str:
    """One of 65,000 addresses of this machine, each a site of its own."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def save(client: httpx.Client, urls: list[str]) -> None:
    """Save links, in bulk."""
    for start in range(0, len(urls), 500):
        items = [{"url": url} for url in urls[start : start + 500]]
        client.post("bookmarks/bulk", json={"items": items}).raise_for_status()


def pending(client: httpx.Client) -> int:
    """How many captures have not ended."""
    return int(client.get("bookmarks", params={"capture_status": "pending"}).json()["total"])


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, half an hour at most."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise RuntimeError(f"not within {WAIT_SECONDS} s")


def memory(part: str = "") -> float:
    """The proportional share of memory of the stack's processes, or of one part's, in MB."""
    total = 0
    for process in _processes(part):
        with suppress(psutil.Error, OSError):
            total += _pss(process.pid)
    return total / 1024


def processor_seconds() -> float:
    """What the stack's processes have taken of the processors so far."""
    total = 0.0
    for process in _processes(""):
        with suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def _processes(part: str) -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if f"backend {part}" in line if part else "multiprocessing" not in line:
                found.append(process)
    return found


def _pss(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """The most that the worker and its children have at any moment of the block, looked at twice a second."""
    peak, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            peak[0] = max(peak[0], memory("worker"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


@contextmanager
def serving(delay: float) -> Iterator[int]:
    """Sites on all addresses of this machine, in a process of their own; the port. `/page/…` answers after `delay`
    seconds, `/quick` at once, and `/never/…` never."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(port, delay), daemon=True)
    process.start()
    try:
        yield port
    finally:
        process.terminate()
        process.join()


def _serve(port: int, delay: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
            if path.startswith("/never"):
                await reader.read()
            else:
                await asyncio.sleep(0 if path == "/quick" else delay)
                writer.write(_response(path))
                await writer.drain()
        writer.close()

    async def run() -> Any:
        server = await asyncio.start_server(answer, "0.0.0.0", port, backlog=1_024)
        await server.serve_forever()

    asyncio.run(run())


def _response(path: str) -> bytes:
    title = f"<title>Page {path}</title>"
    body = f"<!doctype html><html lang=en><head>{title}</head><body><nav><ul>{MENU}</ul></nav><article>{ARTICLE}"
    content = f"{body}<p>This is {path}.</p></article></body></html>".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(content)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + content


if __name__ == "__main__":
    main()
