"""gunicorn for the bare Flask application: every plain setting is that of the product, the hooks are left out.

The hooks want the product's application. Whatever `gunicorn.conf.py` says of processes, threads, connections and
time-outs is read from there, so that the comparison stays one when it changes.
"""

from __future__ import annotations

import gc
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

from gunicorn.config import KNOWN_SETTINGS

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

_product = runpy.run_path(str(Path(__file__).parent.parent / "gunicorn.conf.py"))
_names = {setting.name for setting in KNOWN_SETTINGS}
globals().update(
    {name: value for name, value in _product.items() if name in _names and isinstance(value, bool | int | str | None)}
)
wsgi_app = "benchmarks.bare_flask:app"
proc_name = "bare"


def when_ready(server: Arbiter) -> None:
    """Take what is loaded out of garbage collection, as the product does: that is part of the speed."""
    server.app.wsgi()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_product["COLLECTION_THRESHOLDS"])
