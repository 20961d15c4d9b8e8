"""How much of the texts of a response may be read to show why they were found.

Scanning (a regular expression over the text) takes up to 0.3 µs a character, analysing up to 5 µs: a response takes at
most about half a second, whatever the texts hold.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT_SCANNED, TEXT_ANALYSED = 120_000, 10_000
RESPONSE_SCANNED, RESPONSE_ANALYSED = 1_200_000, 40_000
# Of words found, with those of the query: each takes less than a fifth of a character's analysis.
COMPARISONS_PER_CHARACTER = 1.5


@dataclass
class Allowance:
    """How many characters of one text may be read.

    Attributes:
        scanned: How many have been looked through.
        analysed: How many have been taken apart into words.
        compared: How often one of those words has been compared with one of the query's.
        most_scanned: How many may be looked through.
        most_analysed: How many may be taken apart.
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
        """How many of so many characters may be taken apart; they are counted."""
        taken = max(0, min(characters, self.left_to_analyse))
        self.analysed += taken
        return taken

    def compare(self, words: int) -> bool:
        """Whether so many words may be compared; they are counted."""
        self.compared += words
        return self.compared <= COMPARISONS_PER_CHARACTER * self.most_analysed


class Budget:
    """What is left of a response, given out to its texts, the best hits first."""

    def __init__(self, texts: int, *, scanned: int = RESPONSE_SCANNED, analysed: int = RESPONSE_ANALYSED) -> None:
        """So many texts will ask, with so many characters for all of them."""
        self._texts = texts
        self._most = scanned, analysed
        self._given = 0
        # Of all texts but the latest, which may still be read.
        self._spent = Allowance()
        self._latest = Allowance()

    def begin_round(self, texts: int, length: int) -> int:
        """So many more texts of so many characters may come: how many of them can be looked through."""
        few = min(texts, -(-(self._most[0] - self.scanned) // length), self._most[1] - self.analysed)
        self._texts = self._given + few
        return few

    @property
    def scanned(self) -> int:
        """How many characters have been looked through so far."""
        return self._spent.scanned + self._latest.scanned

    @property
    def analysed(self) -> int:
        """How many characters have been taken apart so far."""
        return self._spent.analysed + self._latest.analysed

    def next_text(self) -> Allowance:
        """What the next text may take: twice its part of what is left, since most take far less than their part.

        The one before has been read.
        """
        texts = max(1, self._texts - self._given)
        scanned, analysed = self._most[0] - self.scanned, self._most[1] - self.analysed
        self._spent.scanned += self._latest.scanned
        self._spent.analysed += self._latest.analysed
        share = 1 if texts == 1 else min(0.5, 2 / texts)
        self._given += 1
        self._latest = Allowance(
            most_scanned=min(TEXT_SCANNED, int(scanned * share)),
            most_analysed=min(TEXT_ANALYSED, int(analysed * share)),
        )
        return self._latest
