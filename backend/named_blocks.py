"""Named blocks of `.sql` and `.lua` files: statements and scripts beside the module that uses them.

A block begins with a comment of its name (`-- name`) and ends at the next blank line. The comments below the name say
why the statement is as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import TextClause


def read_blocks(path: str | Path) -> dict[str, str]:
    """Read the blocks of a file, by name."""
    blocks = {}
    for block in Path(path).read_text().strip("\n").split("\n\n"):
        name, _, body = block.partition("\n")
        blocks[name.removeprefix("-- ").strip()] = body
    return blocks


def read_statements(module_file: str) -> dict[str, TextClause]:
    """Read the statements of the `.sql` file beside a module, given as its `__file__`."""
    # The scheduler reads scripts alone, and does without SQLAlchemy's 10 MiB.
    from sqlalchemy import text  # noqa: PLC0415

    return {name: text(block) for name, block in read_blocks(Path(module_file).with_suffix(".sql")).items()}
