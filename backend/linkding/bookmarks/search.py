"""linkding's search syntax, read into Fuze's query language.

    query   = or
    or      = and ("or" and)*           operators in any case of letters
    and     = not ("and"? not)*
    not     = "not"* primary
    primary = word | "phrase" | 'phrase' | #tag | !untagged | !unread | "(" or ")"

No string is an error: operators and parentheses without a partner are passed over, as are other words after `!`. A word
may be anything that Fuze's own language knows, such as `site:example.org`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from backend.bookmarks.syntax import Filter, Phrase, parse
from backend.linkding.bookmarks.expressions import ANYTHING, Expression, both, either, of_unit, opposite, tagged

STATES = ("untagged", "unread")
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
TOKEN = re.compile(
    r"""
      (?P<bracket>[()])
    | "(?P<double>(?:\\.|[^"\\])*+)"?+
    | '(?P<single>(?:\\.|[^'\\])*+)'?+
    | \#(?P<tag>[^\s()"']*)
    | !(?P<state>[^\s()"']*)
    | (?P<word>[^\s()"']+(?:'[^\s()"']+)*)
    """,
    re.VERBOSE | re.DOTALL,
)
Operator = Literal["or", "and", "not", "("]
BINDS: dict[Operator, int] = {"(": 0, "or": 1, "and": 2, "not": 3}


def read_search(text: str) -> Expression:
    """Read what a query in linkding's syntax means."""
    return _Reader().read(text)


class _Reader:
    """Reads tokens from left to right; operators wait until those that bind tighter are done."""

    def __init__(self) -> None:
        self._done: list[Expression] = []
        self._waiting: list[Operator] = []
        # Whether the last token ended an expression, so that another one is joined by an unwritten "and".
        self._has_left = False

    def read(self, text: str) -> Expression:
        """Read the whole text as one expression."""
        for token in TOKEN.finditer(text):
            self._take(token)
        while self._waiting:
            self._apply()
        return self._done[0] if self._done else ANYTHING

    def _take(self, token: re.Match[str]) -> None:
        word = (token["word"] or "").lower()
        if word in ("and", "or"):
            self._operate("and" if word == "and" else "or")
        elif word == "not" or token["bracket"] == "(":
            self._join()
            self._waiting.append("not" if word else "(")
        elif token["bracket"]:
            self._close()
        else:
            for expression in _expressions(token):
                self._join()
                self._done.append(expression)
                self._has_left = True

    def _join(self) -> None:
        if self._has_left:
            self._operate("and")

    def _operate(self, operator: Operator) -> None:
        if not self._has_left:
            return
        while self._waiting and BINDS[self._waiting[-1]] >= BINDS[operator]:
            self._apply()
        self._waiting.append(operator)
        self._has_left = False

    def _close(self) -> None:
        if "(" not in self._waiting:
            return
        while self._waiting[-1] != "(":
            self._apply()
        self._waiting.pop()
        self._has_left = bool(self._done)

    def _apply(self) -> None:
        operator = self._waiting.pop()
        if operator == "not" and self._done and self._has_left:
            self._done.append(opposite(self._done.pop()))
        elif operator in ("and", "or") and len(self._done) > 1 and self._has_left:
            right, left = self._done.pop(), self._done.pop()
            self._done.append(both(left, right) if operator == "and" else either(left, right))
        elif operator in ("and", "or"):
            # What should follow is missing.
            self._has_left = True


def _expressions(token: re.Match[str]) -> Iterator[Expression]:
    """Yield what a token asks for that is no operator."""
    phrase = token["double"] if token["double"] is not None else token["single"]
    if phrase is not None:
        text = " ".join(ESCAPED.sub(r"\1", phrase).split())
        yield from [of_unit(Phrase(text))] if text else []
    elif token["tag"]:
        yield tagged(token["tag"])
    elif token["state"]:
        state = token["state"].lower()
        yield from [of_unit(Filter("is", state))] if state in STATES else []
    elif token["word"]:
        yield from map(of_unit, parse(token["word"]).units)
