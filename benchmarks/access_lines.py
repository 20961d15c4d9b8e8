"""CPU time of access lines: `python -m benchmarks.access_lines [DIRECTORY] [--lines N] [--rounds R]`.

Logs as a web process in production does, in batches, into a file. Measures this checkout, and another one in turn
with it. Prints microseconds for each line: of the request's thread alone, and of the whole process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Of the checkout that is measured, which may be another one than this file's.
from backend.observability.logging import configure_logging, flush_batches, log_access, start_batches
from config import Settings

ROOT = Path(__file__).parent.parent
PATHS = [f"/api/v1/bookmarks/{number}" for number in range(500)] + ["/api/v1/bookmarks"] * 500


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?", help="the other checkout")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        print(*log_lines(options.lines))
        return
    roots = [root.resolve() for root in (options.directory, ROOT) if root]
    found: dict[Path, list[tuple[float, ...]]] = {root: [] for root in roots}
    for number in range(options.rounds):
        for root in roots if number % 2 else reversed(roots):
            found[root].append(measured(root, options.lines))
    for root, rounds in found.items():
        of_request, of_process = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(f"{root}: {of_request:.2f} µs in the request, {of_process:.2f} µs in all")


def measured(root: Path, lines: int) -> tuple[float, ...]:
    """Return the microseconds for each line in a process of a checkout."""
    # Without this folder on the path: its `http` would be taken for Python's.
    command = [sys.executable, "-P", __file__, "--once", "--lines", str(lines)]
    with tempfile.TemporaryFile() as standard_error:
        done = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            stderr=standard_error,
            check=True,
        )
    return tuple(map(float, done.stdout.split()))


def log_lines(lines: int) -> tuple[float, float]:
    """Log so many lines; return the microseconds of each in this thread, and in the process."""
    settings = Settings(_env_file=None, ENVIRONMENT="production", LOG_LEVEL="INFO")  # type: ignore[call-arg]
    configure_logging(settings)
    start_batches(settings)
    thread, process = time.thread_time(), time.process_time()
    for number in range(lines):
        log_access(
            user_id=number % 100,
            organization_id=number % 100,
            route="/api/v1/bookmarks",
            method="GET",
            path=PATHS[number % len(PATHS)],
            status=200,
            started=time.perf_counter(),
            request_id=f"6f1b2c3d4e5f60718293a4b5{number:08x}",
            ip="203.0.113.7",
        )
        if number % 500 == 0:
            # As between requests: the lines are written, and not by the request.
            time.sleep(0.11)
    spent = time.thread_time() - thread
    flush_batches()
    return spent * 1e6 / lines, (time.process_time() - process) * 1e6 / lines


if __name__ == "__main__":
    main()
