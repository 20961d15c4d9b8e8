"""The fields of log lines that the documentation lists."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "logging.md"


def documented_fields() -> set[str]:
    """The names in the first column of the table of fields."""
    table = PAGE.read_text().partition("## Fields")[2].partition("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}
