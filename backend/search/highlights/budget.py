"""Budgets for reading texts: they bound the time that highlights take.

Scanning (a regular expression over the text) takes up to 0.3 µs a character, analysing up to 5 µs: a response takes at
most about half a second, whatever the texts hold.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT_SCANNED, TEXT_ANALYSED = 120_000, 10_000
RESPONSE_SCANNED, RESPONSE_ANALYSED = 1_200_000, 40_000
# Comparisons of text words with query words; each takes less than a fifth of a character's analysis.
COMPARISONS_PER_CHARACTER = 1.5


@dataclass(slots=True)
class Allowance:
    """Characters of one text that may be read.

    Attributes:
        scanned: Characters scanned.
        analysed: Characters analysed into words.
        compared: Comparisons of those words with words of the query.
        most_scanned: Limit of `scanned`.
        most_analysed: Limit of `analysed`.
    """

    scanned: int = 0
    analysed: int = 0
    compared: int = 0
    most_scanned: int = TEXT_SCANNED
    most_analysed: int = TEXT_ANALYSED

    @property
    def left_to_scan(self) -> int:
        return max(0, self.most_scanned - self.scanned)

    @property
    def left_to_analyse(self) -> int:
        return self.most_analysed - self.analysed

    def analyse(self, characters: int) -> int:
        """Take up to so many characters for analysis; return how many are allowed."""
        taken = max(0, min(characters, self.left_to_analyse))
        self.analysed += taken
        return taken

    def compare(self, words: int) -> bool:
        """Take so many comparisons; return whether they are allowed."""
        self.compared += words
        return self.compared <= COMPARISONS_PER_CHARACTER * self.most_analysed


class Budget:
    """Budget of a response, allotted to its texts in the order of the hits."""

    def __init__(self, texts: int, *, scanned: int = RESPONSE_SCANNED, analysed: int = RESPONSE_ANALYSED) -> None:
        """Allot so many characters to so many texts."""
        self._texts = texts
        self._most = scanned, analysed
        self._given = 0
        # Totals of all texts but the latest, which may still be read.
        self._spent = Allowance()
        self._latest = Allowance()

    def begin_round(self, texts: int, length: int) -> int:
        """Announce further texts of a length; return how many of them can be scanned."""
        few = min(texts, -(-(self._most[0] - self.scanned) // length), self._most[1] - self.analysed)
        self._texts = self._given + few
        return few

    @property
    def scanned(self) -> int:
        """Characters scanned so far."""
        return self._spent.scanned + self._latest.scanned

    @property
    def analysed(self) -> int:
        """Characters analysed so far."""
        return self._spent.analysed + self._latest.analysed

    def next_text(self) -> Allowance:
        """Allot the next text's share: twice an equal share of the rest, since most texts use far less.

        The text before must have been read.
        """
        texts = max(1, self._texts - self._given)
        self._spent.scanned += self._latest.scanned
        self._spent.analysed += self._latest.analysed
        scanned, analysed = self._most[0] - self._spent.scanned, self._most[1] - self._spent.analysed
        share = 1 if texts == 1 else min(0.5, 2 / texts)
        self._given += 1
        self._latest = Allowance(
            most_scanned=min(TEXT_SCANNED, int(scanned * share)),
            most_analysed=min(TEXT_ANALYSED, int(analysed * share)),
        )
        return self._latest
