"""A browser that draws a page and tells what it has drawn."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def browse(url: str, profile: Path) -> tuple[str, str]:
    """The page as a browser has drawn it, and what it wrote to its console meanwhile."""
    assert CHROMIUM is not None
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={profile / 'chromium'}",
        # Swagger UI draws a long list as far as it is in sight.
        "--window-size=1280,25000",
        "--virtual-time-budget=20000",
        "--timeout=60000",
        "--dump-dom",
    ]
    done = subprocess.run([CHROMIUM, *flags, url], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, done.stderr
