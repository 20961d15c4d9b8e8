"""The order of preparation."""

from __future__ import annotations

from typing import Any

from backend.capture.extract.preparation.code_blocks import unify_code
from backend.capture.extract.preparation.formulas import write_formulas
from backend.capture.extract.preparation.furniture import remove_furniture
from backend.capture.extract.preparation.structure import (
    complete_body,
    separate_citations,
    unwrap_headings,
    unwrap_notes,
)


def prepare_tree(tree: Any) -> None:
    """Rewrite a parsed page in place: formulas first, since some stand in hidden elements."""
    complete_body(tree)
    write_formulas(tree)
    remove_furniture(tree)
    unify_code(tree)
    unwrap_headings(tree)
    unwrap_notes(tree)
    separate_citations(tree)
