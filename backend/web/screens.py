"""The addresses of the client's screens, as its own table of routes names them."""

from __future__ import annotations

import re

ROUTE = re.compile(r"^ *route\('(/[^']*)'", re.MULTILINE)
PARAMETER = re.compile(r":[a-z_]+")
# The same for the client's router and here: an id, or the name of a part of a screen.
SEGMENT = "[A-Za-z0-9_-]{1,64}"


def screen_paths(table: str) -> list[str]:
    """Return the paths in the client's table of routes, such as `/projects/:id`."""
    return ROUTE.findall(table)


def screen_pattern(table: str) -> re.Pattern[str]:
    """Return the pattern of all addresses that have a screen."""
    return re.compile(f"(?:{'|'.join(_pattern(path) for path in screen_paths(table))})/?")


def _pattern(path: str) -> str:
    return SEGMENT.join(re.escape(part) for part in PARAMETER.split(path))
