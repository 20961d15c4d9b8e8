"""Negotiation of content codings: what a client accepts (RFC 9110, section 12.5.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

IDENTITY = "identity"
# Ours, in the order of preference among those that a client likes as much.
CODINGS = ("zstd", "br", "gzip")
WEIGHT = re.compile(r"[ \t]*q[ \t]*=[ \t]*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*", re.IGNORECASE)
ALIASES = {"x-gzip": "gzip"}
REMEMBERED = 512


class Negotiation:
    """What a client accepts, by its Accept-Encoding header; None for a request without one.

    Attributes:
        coding: The coding of a response that is not streamed; None if none is acceptable.
        takes_identity: Whether a response may go out unencoded: unless that is ruled out by name, or with all that is
            not named.
    """

    def __init__(self, header: str | None) -> None:
        self._weights: Mapping[str, float] = _weights(header or "")
        self.takes_identity = self._weights.get(IDENTITY, self._weights.get("*", 1)) > 0
        self.coding = self.choose(CODINGS)

    def choose(self, codings: Sequence[str]) -> str | None:
        """Return the coding that the client likes best; "identity" for none of them, None if that is not acceptable."""
        best = max(codings, key=self._weight_of, default=IDENTITY)
        if not self._weight_of(best) or self._weight_of(best) < self._weights.get(IDENTITY, 0):
            return IDENTITY if self.takes_identity else None
        return best

    def _weight_of(self, coding: str) -> float:
        return self._weights.get(coding, self._weights.get("*", 0))


negotiate = lru_cache(maxsize=REMEMBERED)(Negotiation)


def _weights(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for element in header.lower().split(","):
        coding, semicolon, parameter = element.strip(" \t").partition(";")
        weight = WEIGHT.fullmatch(parameter) if semicolon else None
        # Malformed elements are ignored.
        if coding.rstrip(" \t") and (weight or not semicolon):
            name = coding.rstrip(" \t")
            weights[ALIASES.get(name, name)] = float(weight[1]) if weight else 1
    return weights
