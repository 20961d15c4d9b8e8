"""The product's gunicorn, in which each stream of events holds a thread: what `events.py --threads` compares with."""

from __future__ import annotations

import runpy
from pathlib import Path

globals().update(runpy.run_path(str(Path(__file__).parent.parent / "gunicorn.conf.py")))
wsgi_app = "benchmarks.held_threads:app"
