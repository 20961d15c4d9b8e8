"""The addresses and modules of the client's screens, as its own table of routes names them."""

from __future__ import annotations

import re

ROUTE = re.compile(r"^ *route\('(/[^']*)', \(\) => import\('\./([^']+)'\)", re.MULTILINE)
PARAMETER = re.compile(r":[a-z_]+")
# The same for the client's router and here: an id, or the name of a part of a screen.
SEGMENT = "[A-Za-z0-9_-]{1,64}"


def screen_paths(table: str) -> list[str]:
    """Return the paths in the client's table of routes, such as `/projects/:id`."""
    return [path for path, _ in ROUTE.findall(table)]


class Screens:
    """The screens of a table of routes."""

    def __init__(self, table: str) -> None:
        """Read the table."""
        routes: list[tuple[str, str]] = ROUTE.findall(table)
        self._modules = [module for _, module in routes]
        self._pattern = re.compile(f"(?:{'|'.join(f'({_pattern(path)})' for path, _ in routes)})/?")

    def module_of(self, path: str) -> str | None:
        """Return the module of the screen at an address, such as `screens/project.js`; None where there is none."""
        found = self._pattern.fullmatch(path)
        return self._modules[found.lastindex - 1] if found and found.lastindex else None


def _pattern(path: str) -> str:
    return SEGMENT.join(re.escape(part) for part in PARAMETER.split(path))
