"""Positions: integers with gaps between them, so that a move updates one row.

A list without a gap at a position is renumbered; with gaps of 2¹⁶ that takes sixteen moves to the same position.
"""

from __future__ import annotations

GAP = 2**16
# The largest integer that every JSON reader represents exactly; the absolute value of positions never exceeds it.
FARTHEST = 2**53 - 1


def position_between(before: int | None, after: int | None) -> int | None:
    """Return the position midway between `before` and `after`.

    None for either is the end of the list. Returns None where there is no gap: the list must be renumbered.
    """
    if before is None and after is None:
        return GAP
    if after is None:
        assert before is not None
        position = before + GAP
    elif before is None:
        position = after - GAP
    else:
        position = (before + after) // 2
        if position == before:
            return None
    return position if abs(position) <= FARTHEST else None
