"""Places in an order: whole numbers with gaps between them, so that a move changes one row.

A list whose gap is used up is spread anew. With gaps of 2¹⁶ that takes sixteen moves to one and the same place.
"""

from __future__ import annotations

GAP = 2**16
# The largest whole number that every JSON reader keeps exactly; places are never beyond it, on either side of zero.
FARTHEST = 2**53 - 1


def between(before: int | None, after: int | None) -> int | None:
    """A place behind `before` and ahead of `after`, as far from both as there is room.

    None for either is the end of the list. None as the answer: there is no room, the list must be spread.
    """
    if before is None and after is None:
        return GAP
    if after is None:
        assert before is not None
        place = before + GAP
    elif before is None:
        place = after - GAP
    else:
        place = (before + after) // 2
        if place == before:
            return None
    return place if abs(place) <= FARTHEST else None
