"""Fuze: a self-hosted backend for what people save to read and use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.app import create_app

__all__ = ["create_app"]

# redis-py loads these wherever they are installed, 3 MB and 50 ms in each process, for metrics that nobody asks for.
# None has their import fail, which redis-py takes for missing packages; `observability.tracing` lifts that.
NOT_FOR_REDIS = ("opentelemetry.metrics", "opentelemetry.sdk.metrics")
# Mako, which Alembic loads, would load Pygments for coloured tracebacks of templates: 6 MB that nobody sees.
NOT_FOR_MAKO = ("mako.ext.pygmentplugin",)
for _name in (*NOT_FOR_REDIS, *NOT_FOR_MAKO):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]


def __getattr__(name: str) -> Any:
    """Offer `create_app`, imported when it is asked for: what only supervises processes does without it."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # The application imports modules of this package, so it can only come later.
    from backend.app import create_app  # noqa: PLC0415

    return create_app
