"""What the web client costs a browser with 10,000 bookmarks: first load, search as you type, scrolling, memory.

Usage: python -m benchmarks.web_client [--root CHECKOUT] [--data-dir DIRECTORY] [--bookmarks N] [--screens N]
Needs playwright and chromium. Figures come from chromium itself: its metrics, its long tasks, its list of resources.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, TimeoutError, sync_playwright

from benchmarks.corpora import load_links
from benchmarks.loading import save_all, wait_until_counted, wait_until_quiet
from benchmarks.stack import RAISED_LIMITS, ROOT, RunningStack, register, running_stack

NAME, PASSWORD = "browsing", "a long passphrase of the bench"
ACCOUNT = {"login": NAME, "password": PASSWORD}
QUERIES = ("rate limit", "postgres index", "kubernetes", "machine learning", "vim plugin")
SCREENS = ("library", "search?q=redis", "projects", "tasks", "tags", "dashboard", "settings", "./")
SETTLED_MS = 400
QUIET_SECONDS = 10
LONGEST_MS = 4000
LONG_TASK_MS = 50
SCROLL_STEPS = 700
ROW_PX = 76
TRACED = ["disabled-by-default-devtools.timeline", "devtools.timeline"]
WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((entry) => entry.duration)))
  .observe({ type: 'longtask', buffered: true });
"""
RESOURCES = """() => performance.getEntriesByType('resource').map((one) =>
  ({ name: one.name, start: one.startTime, end: one.responseEnd, bytes: one.transferSize }))"""
WATCH_TYPING = """() => {
  window.typedAt = 0;
  window.shownAt = 0;
  addEventListener('input', () => { window.typedAt = performance.now(); window.shownAt = 0; }, true);
  new MutationObserver((changes) => {
    if (changes.some((one) => one.target.closest?.('.rows') || one.target.querySelector?.('.rows')))
      requestAnimationFrame(() => { window.shownAt = performance.now(); });
  }).observe(document.querySelector('main'), { childList: true, subtree: true });
}"""
FOLLOW = """(path) => {
  const link = document.createElement('a');
  link.href = path;
  document.body.append(link);
  link.click();
  link.remove();
}"""
SCROLL = """(steps) => new Promise((done) => {
  let step = 0;
  const go = () => { scrollBy(0, 1100); (step += 1) < steps ? requestAnimationFrame(go) : done(scrollY); };
  go();
})"""


class Tab:
    """A page with what chromium tells of it."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.cdp: CDPSession = context.new_cdp_session(self.page)
        # Times of the thread: other processes of this machine do not count.
        self.cdp.send("Performance.enable", {"timeDomain": "threadTicks"})

    def metrics(self) -> dict[str, float]:
        """Chromium's counts and times of this page so far; times in seconds."""
        found = self.cdp.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in found}

    def heap_mb(self) -> float:
        """The heap that is left after a collection."""
        self.cdp.send("HeapProfiler.collectGarbage")
        return self.metrics()["JSHeapUsedSize"] / 1e6

    def long_tasks(self) -> list[float]:
        """The milliseconds of all tasks over 50 ms since the page was opened."""
        found: list[float] = self.page.evaluate("window.longTasks")
        return found


def measure_first_load(context: BrowserContext) -> dict[str, Any]:
    """Open the library as if for the first time, up to its first row."""
    tab = Tab(context)
    tab.page.goto("/library", wait_until="commit")
    tab.page.locator(".row").first.wait_for()
    shown_at = tab.page.evaluate("performance.now()")
    metrics, resources = tab.metrics(), tab.page.evaluate(RESOURCES)
    tab.page.close()
    files = [one for one in resources if "/assets/" in one["name"]]
    asked = [one for one in resources if "/api/" in one["name"] and one["start"] < shown_at]
    # Each begins after another has ended: they wait for each other.
    depth, end = 0, 0.0
    for one in sorted(files, key=lambda each: each["start"]):
        if one["start"] >= end:
            depth, end = depth + 1, one["end"]
    return {
        "shown_ms": round(shown_at),  # By the clock.
        "script_ms": round(metrics["ScriptDuration"] * 1000),
        "task_ms": round(metrics["TaskDuration"] * 1000),
        "layouts": int(metrics["LayoutCount"]),
        "files": len(files),
        "files_kb": round(sum(one["bytes"] for one in files) / 1024, 1),
        "rounds_of_files": depth,
        "api_requests": [one["name"].split("/api/v1/")[-1] for one in asked],
        "api_kb": round(sum(one["bytes"] for one in asked) / 1024, 1),
    }


def measure_typing(context: BrowserContext) -> dict[str, Any]:
    """Type queries, each key after the list has settled: milliseconds from the key to the list that it leads to."""
    tab = Tab(context)
    tab.page.goto("/search")
    box = tab.page.locator("input[type=search]")
    box.wait_for()
    tab.page.evaluate(WATCH_TYPING)
    delays = []
    for query in QUERIES:
        box.fill("")
        tab.page.wait_for_timeout(SETTLED_MS)
        for key in query:
            box.press_sequentially(key)
            if key.isspace():
                continue  # It changes no query.
            with suppress(TimeoutError):
                tab.page.wait_for_function("() => window.shownAt > 0", timeout=LONGEST_MS)
                delays.append(tab.page.evaluate("window.shownAt - window.typedAt"))
            tab.page.wait_for_timeout(SETTLED_MS)
    answers = [one["end"] - one["start"] for one in tab.page.evaluate(RESOURCES) if "/v1/search?" in one["name"]]
    tab.page.close()
    return {
        "keys": len(delays),
        "answers_p50_ms": round(statistics.median(answers)),
        "answers_p95_ms": round(statistics.quantiles(answers, n=20)[-1]),
        "p50_ms": round(statistics.median(delays)),
        "p95_ms": round(statistics.quantiles(delays, n=20)[-1]),
    }


def measure_scrolling(browser: Browser, context: BrowserContext) -> dict[str, Any]:
    """Scroll down the library, a screen a frame, and trace the tasks of the page's main thread."""
    tab = Tab(context)
    tab.page.goto("/library")
    tab.page.locator(".row").first.wait_for()
    tab.page.wait_for_timeout(SETTLED_MS)
    before = tab.metrics()
    browser.start_tracing(page=tab.page, categories=TRACED)
    reached = tab.page.evaluate(SCROLL, SCROLL_STEPS)
    tasks = tasks_of(json.loads(browser.stop_tracing())["traceEvents"])
    after, waited = tab.metrics(), tab.long_tasks()
    tab.page.close()
    return {
        "reached_row": round(reached / ROW_PX),
        "script_ms_per_frame": round((after["ScriptDuration"] - before["ScriptDuration"]) * 1000 / SCROLL_STEPS, 2),
        "task_ms_per_frame": round((after["TaskDuration"] - before["TaskDuration"]) * 1000 / SCROLL_STEPS, 2),
        "longest_cpu_ms": round(max(tasks)),
        "tasks_over_50_ms_cpu": sum(task > LONG_TASK_MS for task in tasks),
        "tasks_over_50_ms_clock": len(waited),
    }


def tasks_of(events: list[dict[str, Any]]) -> list[float]:
    """Milliseconds of CPU of each task of renderers' main threads."""
    names = {(one["pid"], one["tid"]): one["args"]["name"] for one in events if one["name"] == "thread_name"}
    return [
        one["tdur"] / 1000
        for one in events
        if one["name"] == "RunTask" and "tdur" in one and names.get((one["pid"], one["tid"])) == "CrRendererMain"
    ]


def measure_memory(context: BrowserContext, screens: int) -> dict[str, Any]:
    """Go through the screens by their links: the heap after the first round, and at the end."""
    tab = Tab(context)
    tab.page.goto("/")
    tab.page.locator("h1").first.wait_for()
    heaps = {}
    for number in range(screens):
        tab.page.evaluate(FOLLOW, SCREENS[number % len(SCREENS)])
        tab.page.locator("h1").first.wait_for()
        tab.page.wait_for_timeout(100)
        if number + 1 in (len(SCREENS), screens // 2, screens):
            heaps[number + 1] = round(tab.heap_mb(), 1)
    nodes = int(tab.metrics()["Nodes"])
    tab.page.close()
    return {"heap_mb_after_screens": heaps, "nodes": nodes}


def measure(url: str, screens: int) -> dict[str, Any]:
    """All measurements, in a browser of their own."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        context = browser.new_context(base_url=url, locale="en-GB", viewport={"width": 1280, "height": 900})
        context.add_init_script(WATCH)
        context.request.post("/api/v1/auth/login?cookie=true", data=ACCOUNT)
        figures = {
            "first load": measure_first_load(context),
            "again": measure_first_load(context),
            "typing": measure_typing(context),
            "scrolling": measure_scrolling(browser, context),
            "memory": measure_memory(context, screens),
        }
        browser.close()
    return figures


def load(stack: RunningStack, number: int) -> None:
    """Save the links, unless the data directory has them, and wait until the worker has nothing to do."""
    loaded = stack.data_dir / "loaded"
    if not loaded.exists():
        links = [{**link, "capture": False} for link in load_links()[:number]]
        print("saved:", dict(save_all(register(stack.url, NAME, PASSWORD), links).ends), flush=True)
        loaded.touch()
    wait_until_counted(stack)
    wait_until_quiet(stack.url, QUIET_SECONDS)


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose code runs")
    parser.add_argument("--data-dir", type=Path, help="kept, and loaded once")
    parser.add_argument("--bookmarks", type=int, default=10_000)
    parser.add_argument("--screens", type=int, default=200)
    options = parser.parse_args()
    if options.data_dir:
        options.data_dir.mkdir(parents=True, exist_ok=True)
    settings = {**RAISED_LIMITS, "ENABLE_RATE_LIMITING": "false", "EMBEDDING_PROVIDER": "none"}
    with running_stack(data_dir=options.data_dir, root=options.root, **settings) as stack:
        load(stack, options.bookmarks)
        for name, figures in measure(stack.url, options.screens).items():
            print(f"{name}: {json.dumps(figures)}", flush=True)


if __name__ == "__main__":
    main()
